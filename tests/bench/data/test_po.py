"""PO files, through the formats that call the parser."""

import pytest

from bench.data import formats
from bench.errors import UserError

PO = """# A catalogue.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"

#. Default: "Save the
#. \\"page\\" now"
msgid "button_save"
msgstr "Seite jetzt speichern"

msgctxt "menu"
msgid "Open a \\"file\\""
msgstr "Eine „Datei“ öffnen"

#, fuzzy
msgid "Close all"
msgstr "Schließen"

msgid "Not yet"
msgstr ""

#~ msgid "Old one"
#~ msgstr "Alte"
"""


def read(content):
    return list(formats.parse_file("de.po", content.encode()))


def test_messages_that_are_translated():
    assert read(PO) == [
        ("line 6", {"id": "button_save", "context": "", "source": 'Save the "page" now', "target": "Seite jetzt speichern"}),
        ("line 11", {"id": 'Open a "file"', "context": "menu", "source": 'Open a "file"', "target": "Eine „Datei“ öffnen"}),
    ]


@pytest.mark.parametrize("content", ["", "/etc/passwd", "a,b\n1,2\n", 'msgid "a"\nmsgstr "b"\nnothing else\n'])
def test_what_is_no_catalogue_is_told(content):
    with pytest.raises(UserError, match=r"de\.po, .*no PO file"):
        read(content)


def test_a_message_with_several_numbers_has_the_first_ones_text():
    forms = 'msgid "one file"\nmsgid_plural "%d files"\nmsgstr[0] "eine Datei"\nmsgstr[1] "%d Dateien"\n'
    ((_, row),) = read(f'msgid ""\nmsgstr ""\n\n{forms}')
    assert (row["source"], row["target"]) == ("one file", "eine Datei")

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


def test_a_default_is_read_as_it_is_meant():
    """Planted fault: `item\\nas` was the word nas, and a text of several quoted lines held their marks."""
    catalogue = 'msgid ""\nmsgstr ""\n\n#. Default: "Select an item\\nas \\"it\\""\nmsgid "a"\nmsgstr "x"\n\n'
    catalogue += '#. Default: ""\n#. "first part "\n#. "and second"\nmsgid "b"\nmsgstr "y"\n'
    assert [row["source"] for _, row in read(catalogue)] == ['Select an item as "it"', "first part and second"]


@pytest.mark.parametrize(
    ("plural", "target"),
    [("n%100==1 ? 1 : n%100==2 ? 2 : n%100==3 || n%100==4 ? 3 : 0", "datoteka"), ("n != 1", "datotek")],
)
def test_of_several_numbers_that_of_one_is_read(plural, target):
    """Slovenian's first form is that of five."""
    head = f'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=4; plural=({plural});\\n"\n\n'
    forms = 'msgid "file"\nmsgid_plural "%d files"\nmsgstr[0] "datotek"\nmsgstr[1] "datoteka"\n'
    ((_, row),) = read(head + forms)
    assert row["target"] == target


def test_a_message_with_several_numbers_has_the_first_ones_text():
    forms = 'msgid "one file"\nmsgid_plural "%d files"\nmsgstr[0] "eine Datei"\nmsgstr[1] "%d Dateien"\n'
    ((_, row),) = read(f'msgid ""\nmsgstr ""\n\n{forms}')
    assert (row["source"], row["target"]) == ("one file", "eine Datei")

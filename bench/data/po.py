"""Translations of a program's texts in gettext's PO files: a row per message that is translated and not marked as fuzzy."""

import gettext
import re
from collections.abc import Iterator
from typing import Any

import polib

from bench.errors import FormatError

DEFAULT = 'Default: "'
"""What stands before the text in the comment of a message whose id is no text (Zope's way)."""
BETWEEN_LINES = re.compile(r'(?<!\\)"\s*\n\s*"')
"""A text that is quoted line by line ends one and begins the next so."""
AFTER_BACKSLASH = re.compile(r"\\(.)")
MEANT = {"n": "\n", "t": "\t", "r": "\r"}
PLURAL = re.compile(r"plural\s*=\s*([^;]+)")


def messages(content: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each message as `id`, `context`, `source` (the text: the id, or what a `Default:` comment gives) and `target`.

    Raises:
        FormatError: it is no PO file; the line is named where polib tells it.
    """
    # polib takes a string without a line break for the name of a file.
    if "msgid" not in content or "\n" not in content:
        raise FormatError("line 1", "no PO file: it has no msgid")
    try:
        entries = polib.pofile(content)
    except (OSError, ValueError, UnicodeError) as error:
        raise FormatError("the file", f"no PO file: {' '.join(str(error).split())}") from None
    one = _form_of_one(entries.metadata.get("Plural-Forms", ""))
    for entry in entries.translated_entries():  # neither fuzzy nor obsolete
        target = str(entry.msgstr or entry.msgstr_plural.get(one, ""))
        text = {"id": entry.msgid, "context": entry.msgctxt or "", "source": _source_text(entry), "target": target}
        yield f"line {entry.linenum}", text


def _form_of_one(header: str) -> int:
    """Which form of a message with several numbers is for one, whose id is the source: in Slovenian it is the second."""
    rule = PLURAL.search(header)
    try:
        return int(gettext.c2py(rule[1])(1)) if rule else 0  # documented nowhere, and used by all
    except (ValueError, RecursionError):
        raise FormatError("the header", f"no PO file: Plural-Forms cannot be read: {header:.80}") from None


def _source_text(entry: polib.POEntry) -> str:
    _, marker, text = entry.comment.partition(DEFAULT)
    if not marker:
        return str(entry.msgid)
    # The comment is as it is written in a PO file, marks, lines and all.
    whole = BETWEEN_LINES.sub("", text.rpartition('"')[0])
    return " ".join(AFTER_BACKSLASH.sub(lambda match: MEANT.get(match[1], match[1]), whole).split())

"""Translations of a program's texts in gettext's PO files: a row per message that is translated and not marked as fuzzy."""

from collections.abc import Iterator
from typing import Any

import polib

from bench.errors import FormatError

DEFAULT = 'Default: "'
"""What stands before the text in the comment of a message whose id is no text (Zope's way)."""


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
    for entry in entries.translated_entries():  # neither fuzzy nor obsolete
        text = {"id": entry.msgid, "context": entry.msgctxt or "", "source": _source(entry), "target": _target(entry)}
        yield f"line {entry.linenum}", text


def _target(entry: polib.POEntry) -> str:
    """Of a message with several numbers that of the first, whose id is the source."""
    return str(entry.msgstr or entry.msgstr_plural.get(0, ""))


def _source(entry: polib.POEntry) -> str:
    _, marker, text = entry.comment.partition(DEFAULT)
    # The comment keeps the quotation marks inside as they are written in a PO file.
    return " ".join(text.rpartition('"')[0].replace('\\"', '"').split()) if marker else str(entry.msgid)

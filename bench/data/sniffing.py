"""What a person's own file is: its format, encoding and separator, and whether its first line names the columns.

Each is found by looking at the content, and told with what was seen, so that a person can disagree.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePath
from typing import Any

from bench.data.formats import ENDINGS, PIECE, STATED_SEPARATOR, Form, row_keys
from bench.data.packing import packing, unpacked
from bench.errors import UserError
from bench.specs.source import Format

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LOOKED_AT = 200
"""Rows from which separators are told, and whether there is a line of names."""
TAG = re.compile(r"O|[BIESLUM]-\S+")
NAME_LENGTH = 40
"""Letters that a column's name has at most."""


@dataclass(frozen=True)
class Sniffed:
    """A file's form, and why: what of it (`format`, `encoding`, `separator`, `header`) -> what was seen."""

    form: Form
    reasons: dict[str, str]


def sniffed(name: str, content: bytes, given: Form) -> Sniffed:
    """What the file is; what is `given` is taken as it is.

    Raises:
        UserError: it is packed and damaged, or no format fits.
    """
    content = unpacked(name, content)
    encoding, why = (given.encoding, "as you said") if given.encoding else _encoding(content)
    reasons = {"encoding": why} if encoding else {}
    head = _head(content, encoding)
    if stated := STATED_SEPARATOR.match(head):
        head = head[stated.end() :]
    kind, reasons["format"] = (given.kind, "as you said") if given.kind else _kind(name, content, head)
    if kind in ("parquet", "arrow"):
        reasons.pop("encoding", None)
        return Sniffed(replace(given, kind=kind), reasons)  # one that is given is refused where the file is read
    form = replace(given, kind=kind, encoding=encoding)
    if kind == "csv" and not given.separator:
        separator = stated[1] if stated else _separator(head)
        if separator != ",":
            why = "the file's first line says so" if stated else f"most lines have as many {SEPARATORS[separator]}"
            form, reasons["separator"] = replace(form, separator=separator), why
    if kind in ("csv", "tsv") and given.header is None:
        rows = _first_rows(head, "\t" if kind == "tsv" else form.separator or ",")
        if reason := _why_no_names(rows):
            form = replace(form, header=[f"column{number}" for number, _ in enumerate(rows[0], start=1)])
            reasons["header"] = f"the first line names no columns: {reason}"
    return Sniffed(form, reasons)


def _encoding(content: bytes) -> tuple[str | None, str]:
    """None for UTF-8. Text in one byte a letter cannot be told apart; what browsers take it for comes first (WHATWG)."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "it starts with that encoding's mark"
    for encoding in ("utf-8", "cp1252"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(content), PIECE):
                decoder.decode(content[start : start + PIECE], start + PIECE >= len(content))
        except UnicodeDecodeError:
            continue
        return (None, "") if encoding == "utf-8" else (encoding, "it is not UTF-8, and this fits")
    return "latin-1", "it is neither UTF-8 nor cp1252"


def _head(content: bytes, encoding: str | None) -> str:
    """The first megabyte as text, without its broken last line, if it has others; of a file of bytes whatever that gives."""
    text = content[:PIECE].decode(encoding or "utf-8-sig", errors="replace")
    return text if len(content) <= PIECE else text.rpartition("\n")[0] or text


def _kind(name: str, content: bytes, head: str) -> tuple[Format, str]:
    ending = PurePath(name.removesuffix(packing(name))).suffix.lstrip(".").lower()
    ending_kind = ENDINGS.get(ending)
    if content.startswith((b"PAR1", b"ARROW1")):
        return ("parquet", "it starts with PAR1") if content.startswith(b"PAR1") else ("arrow", "it starts with ARROW1")
    if ending_kind in ("parquet", "arrow"):
        return ending_kind, f"its name ends in .{ending}"
    if json_kind := _json_kind(head, whole=len(content) <= PIECE, lines=ending_kind == "jsonl"):
        return json_kind
    # Before the ending counts: words and their tags, apart by tabs, may be called .tsv too.
    if ending_kind != "csv" and _tags_lines(head):
        return "conll", "one token a line, a tag at its end, blank lines between sentences"
    if ending_kind:
        return ending_kind, f"its name ends in .{ending}"
    if "\0" not in head and len(_first_rows(head, separator := _separator(head))) > 1 and separator in head:
        return ("tsv", "most lines have as many tabs") if separator == "\t" else ("csv", "most lines have as many separators")
    raise UserError(
        f"{name}: no format fits it: it is no JSON, and no separator ({', '.join(SEPARATORS.values())}) divides its lines into "
        f"columns; say what it is with --format {' | '.join(dict.fromkeys(ENDINGS.values()))} | squad"
    )


def _json_kind(head: str, whole: bool, lines: bool) -> tuple[Format, str] | None:
    """JSON, whatever the file's ending says: lines of objects, SQuAD's nesting, or a list. What stands in a single line is told
    by the ending: that of JSON `lines` makes an object a row, whatever it holds."""
    first, _, more = head.lstrip().partition("\n")
    if not first.startswith(("{", "[")):
        return None
    try:
        one = json.loads(first)
    except (ValueError, RecursionError):
        one = None
    alone = not more.strip() and not lines
    if len(row_keys(one)) > 1 and alone:
        return "json", "its one object holds columns, as pandas writes them"
    if alone and isinstance(one, dict) and "data" not in one and _rows_inside(one):
        return "json", "its one object holds a list of objects"
    if isinstance(one, dict) and (more.strip() or ("data" not in one and not whole)):
        return "jsonl", "each line is an object"
    if '"data"' in head and '"paragraphs"' in head:
        return "squad", "articles with paragraphs and questions, as SQuAD nests them"
    if one is None and first.startswith("{") and not (more or whole):
        return None  # an object that is cut may be the whole file, or its first line
    table = isinstance(one, dict) and not isinstance(one.get("data"), list)
    return ("jsonl", "its one line is an object") if table else ("json", "it is JSON")


def _rows_inside(one: dict[str, Any]) -> bool:
    lists = [value for value in one.values() if isinstance(value, list)]
    return len(lists) == 1 and bool(lists[0]) and all(isinstance(entry, dict) for entry in lists[0])


def _tags_lines(head: str) -> bool:
    lines = [line.split() for line in head.splitlines()[:2000]]
    filled = [cells for cells in lines if cells and not cells[0].startswith(("-DOCSTART-", "#"))]
    tagged = sum(len(cells) > 1 and TAG.fullmatch(cells[-1]) is not None for cells in filled)
    return len(filled) > 1 and tagged >= 0.9 * len(filled) and any(cells[-1] != "O" for cells in filled)


def _separator(head: str) -> str:
    """That which gives most rows as many cells as the first one, and more than one; of equals the first."""

    def fits(separator: str) -> float:
        widths = [len(row) for row in _first_rows(head, separator)]
        return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0.0

    return max(SEPARATORS, key=fits)


def _first_rows(head: str, separator: str) -> list[list[str]]:
    """The first rows that are not blank; what is broken ends them."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows += islice((row for row in csv.reader(io.StringIO(head, newline=""), delimiter=separator) if row), LOOKED_AT)
    return rows


def _why_no_names(rows: Sequence[Sequence[str]]) -> str | None:
    """What in the first row is no name of a column, or None."""
    if len(rows) < 2:
        return None
    for place, cell in enumerate(rows[0]):
        below = [row[place].strip() for row in rows[1:] if len(row) > place]
        if re.fullmatch(r"[-+]?\d+([.,]\d+)?", cell.strip()):
            return f"'{cell}' is a number"
        if len(cell) > NAME_LENGTH:
            return f"'{cell[:NAME_LENGTH]}...' is long"
        if cell.strip() and below.count(cell.strip()) > 1:
            return f"'{cell}' stands again below"
    return None

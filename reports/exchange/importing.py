"""Files of others into a folder of results: each that can be read becomes its records, each that can't a sentence."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bench.errors import FormatError, UserError
from bench.records import store
from bench.records.record import Record

RecordWithItems = tuple[Record, pd.DataFrame | None]
"""A record and the table of its answers, None where there are none."""


@dataclass
class Imported:
    """What became of the files."""

    added: list[Record] = field(default_factory=list)
    known: list[Record] = field(default_factory=list)
    """Records that stood there before: they are left as they are."""
    faults: list[str] = field(default_factory=list)
    """The name of each file that was left out, and what is wrong with it."""

    @property
    def summary(self) -> str:
        already = f", {_counted_noun(len(self.known), 'record')} there already" if self.known else ""
        out = f", {_counted_noun(len(self.faults), 'file')} left out" if self.faults else ""
        return f"{_counted_noun(len(self.added), 'record')} imported{already}{out}"


def import_files(paths: Sequence[Path], read: Callable[[Path], Iterable[RecordWithItems]], out: Path) -> Imported:
    """Read each file and write its records into `out`; a file with a fault adds none, and the others go in."""
    result = Imported()
    for path in paths:
        try:
            # A file is read to its end before any of it is written.
            records_with_items = list(read(path))
        except FormatError as error:
            result.faults.append(f"{path.name}: {error}")
            continue
        for record, items in records_with_items:
            if (store.folder(out) / f"{record.run_id}.json").exists():
                # The id is a hash of the content, so that the record that is there already says the same.
                result.known.append(record)
            else:
                store.write_record(out, record, items)
                result.added.append(record)
    return result


def files_in(place: Path, pattern: str, what: str, deep: bool = False) -> list[Path]:
    """The file itself, or those of a folder and, where `deep`, of the folders in it, whose names fit; in the order of names.

    Raises:
        UserError: there is nothing of that name, or no such file in it.
    """
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise UserError(f"there is no {place}; name {what}")
    paths = sorted(place.rglob(pattern) if deep else place.glob(pattern))
    if not paths:
        raise UserError(f"no {pattern} in {place}; name {what}")
    return paths


def _counted_noun(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

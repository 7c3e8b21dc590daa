"""The folders of a comparison, read: results, or results that were accepted as a baseline."""

from collections.abc import Sequence
from pathlib import Path

from bench.errors import UserError
from bench.records import store
from bench.records.record import Record
from reports.gate.accepted import accepted_in
from reports.gate.sides import Side


def read_sides(new: Path, old: Path, suite: str | None) -> tuple[Side, Side, list[Sequence[Record]]]:
    """Both sides of a suite, or of all, and the baselines before the old side, the newest first.

    Raises:
        UserError: one of the folders has no records.
    """
    baselines = accepted_in(old)
    if not baselines:
        return _side(new, str(new), suite), _side(old, str(old), suite), []
    *before, last = baselines
    earlier = [_records(each.folder, suite) for each in reversed(before)]
    return _side(new, str(new), suite), _side(last.folder, last.name, suite), earlier


def _side(folder: Path, name: str, suite: str | None) -> Side:
    records = _records(folder, suite)
    if not records:
        of = f" of suite {suite}" if suite else ""
        raise UserError(f"no records{of} in {store.folder(folder)}; name a folder that `tunebench run --out` wrote")
    return Side(name, folder, records)


def _records(folder: Path, suite: str | None) -> Sequence[Record]:
    return list(store.of_suite(store.read_all(folder), suite))

"""The folders of a comparison, read: results, or results that were accepted as a baseline."""

from collections.abc import Sequence
from pathlib import Path

from bench.errors import UserError
from bench.records import store
from bench.records.record import Record
from reports.gate.accepted import accepted_in, accepted_of
from reports.gate.sides import Side


def read_sides(new: Path, old: Path, suite: str | None) -> tuple[Side, Side, list[Sequence[Record]]]:
    """Both sides of a suite, or of all, and the baselines before the old side, the newest first.

    Raises:
        UserError: one of the folders has no records of it.
    """
    if not accepted_in(old):
        return _side(new, suite), _side(old, suite), []
    *before, (last, records) = accepted_of(old, suite)
    earlier: list[Sequence[Record]] = [records for _, records in reversed(before)]
    return _side(new, suite), Side(last.name, last.folder, records), earlier


def _side(folder: Path, suite: str | None) -> Side:
    records = list(store.of_suite(store.read_all(folder), suite))
    if not records:
        of = f" of suite {suite}" if suite else ""
        raise UserError(f"no records{of} in {store.folder(folder)}; name a folder that `tunebench run --out` wrote")
    return Side(str(folder), folder, records)

"""The folders of a comparison, read: results, or results that were accepted as a baseline."""

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

from bench.errors import UserError
from bench.records import store
from bench.records.record import Record
from reports.gate.accepted import accepted_in, accepted_of
from reports.gate.sides import Side


def read_sides(new: Path, old: Path, suite: str | None) -> tuple[Side, Side, list[Sequence[Record]]]:
    """Both sides of a suite, or of all, and the baselines before the old side, the newest first.

    Raises:
        UserError: one of the folders has no records of it, or the newest baseline lacks a suite or a row of the new side that
            an earlier one has: it would be taken for a new one, and no fall of it would be seen.
    """
    if not accepted_in(old):
        return _read_side(new, suite), _read_side(old, suite), []
    *before, (last, records) = accepted_of(old, suite)
    now = _read_side(new, suite)
    earlier: list[Sequence[Record]] = [kept for _, kept in reversed(before)]

    def lacked(named: Callable[[Record], str]) -> list[str]:
        """What the new side and an earlier baseline have, and the newest one has not."""
        before, last_named, now_named = (set(map(named, each)) for each in (chain(*earlier), records, now.records))
        return sorted((before - last_named) & now_named)

    if suites := lacked(lambda record: record.setup.suite):
        raise UserError(
            f"{last.folder}: the newest baseline lacks {', '.join(suites)}, which an earlier one has; compare one suite at a "
            "time by --suite, or accept all of them together"
        )
    if rows := lacked(_row_name):
        raise UserError(
            f"{last.folder}: the newest baseline lacks {', '.join(rows)}, which an earlier one has; accept a folder that has "
            "these rows too"
        )
    return now, Side(last.name, last.folder, records), earlier


def _row_name(record: Record) -> str:
    setup = record.setup
    return f"{setup.suite}: {setup.model} on {setup.task}: {setup.strategy}"


def _read_side(folder: Path, suite: str | None) -> Side:
    records = list(store.of_suite(store.read_all(folder), suite))
    if not records:
        of = f" of suite {suite}" if suite else ""
        raise UserError(f"no records{of} in {store.folder(folder)}; name a folder that `tunebench run --out` wrote")
    return Side(str(folder), folder, records)

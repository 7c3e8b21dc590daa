"""Which answers are held against each other: two rows of one table, seed by seed, item by item."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import UserError, unknown
from bench.records import store
from bench.records.record import Record
from bench.tasks.sampling import sample
from reports.rows.fairness import check_comparable
from reports.rows.row import Row
from reports.rows.rows import aggregate, grouped, ranked

TYPES = ("generation", "dialogue")
"""Types of tasks whose answers are texts that a judge can weigh."""


@dataclass(frozen=True)
class Contest:
    """Two answers to one item."""

    item: str
    text: str
    """What the item reads like."""
    one: str
    other: str


@dataclass(frozen=True)
class Pairing:
    """Two runs on the same items; `one` has the smaller id, so that a pair is one pair whichever row stands above."""

    one: str
    other: str
    task: str | None
    """The instruction as a template."""
    contests: tuple[Contest, ...]


@dataclass(frozen=True)
class RowPair:
    """Two rows of one table."""

    rows: tuple[Row, Row]
    pairings: tuple[tuple[Pairing, bool], ...]
    """One for each seed, and whether the row that stands above is its `other`."""
    clusters: Sequence[Any]
    """What each item belongs to; None where it is by itself."""

    @property
    def group(self) -> tuple[str, str, str]:
        return self.rows[0].group

    @property
    def label(self) -> str:
        return f"{self.rows[0].label} against {self.rows[1].label}"


@dataclass(frozen=True)
class JudgeOptions:
    """What is to be compared."""

    task: str | None = None
    against: str | None = None
    """The row that each other one meets; None: all meet all."""
    items: int | None = None
    """A sample of so many of each task; None: all."""
    allow_unequal: bool = False
    """Whether rows may meet that a table would refuse; they must have answered the same items all the same."""


def row_pairs(records: Sequence[Record], out: Path, options: JudgeOptions) -> list[RowPair]:
    """The pairs of rows of each table, the better row above.

    Raises:
        UserError: there are none, a name is unknown, or rows of one table answer different questions.
    """
    groups = {group: rows for group, rows in grouped(_written_rows(records, options)).items() if len(rows) > 1}
    if not groups:
        raise UserError(f"no two rows in {store.folder(out)} answer the same {' or '.join(TYPES)} task; a judge compares two")
    labels, against = {row.label for rows in groups.values() for row in rows}, options.against
    if against is not None and against not in labels:
        raise unknown("row", against, labels)
    return [
        _row_pair(one, other, out, options.items)
        for rows in groups.values()
        for one, other in combinations(rows, 2)
        if against in (None, one.label, other.label)
    ]


def _written_rows(records: Sequence[Record], options: JudgeOptions) -> list[Row]:
    """The rows that have written answers, the best first."""
    task = options.task
    if task is not None and task not in (known := {record.setup.task for record in records}):
        raise unknown("task", task, known)
    written = [record for record in records if record.outcome and record.task_definition.get("type") in TYPES]
    chosen = [record for record in written if task in (None, record.setup.task)]
    if not chosen:
        types = " or ".join(TYPES)
        which = f"'{task}' is no task of type {types}" if task else f"there is no row of a task of type {types}"
        raise UserError(f"{which}: a judge weighs texts that were written, and other answers are right or wrong")
    rows = ranked(aggregate(chosen))
    if not options.allow_unequal:
        check_comparable(rows)
    return [row for row in rows if row.score]


def _task_instruction(record: Record) -> str | None:
    """The first of the task's unseen instructions, or its prompt, which alone tells of a chat's earlier turns."""
    spec = record.task_definition
    if spec.get("type") == "dialogue":
        return spec.get("prompt")
    instructions = spec.get("instructions") or {}
    return next(iter(instructions.get("test") or []), spec.get("prompt"))


def _row_pair(one: Row, other: Row, out: Path, items: int | None) -> RowPair:
    """Equal seeds meet. A row of one run, as one that trains nothing, meets each seed of the other."""
    parts = [(mine, theirs, *_answers_to_same_items(mine, theirs, out, items)) for mine, theirs in _runs_that_meet(one, other)]
    return RowPair((one, other), tuple(_pairing(*part) for part in parts), parts[0][2]["cluster"].tolist())


def _runs_that_meet(one: Row, other: Row) -> list[tuple[Record, Record]]:
    single_run = 1 in (len(one.records), len(other.records))
    # A seed may have failed in one of the rows; the next one must not stand in for it.
    pairs = [(a, b) for a in one.records for b in other.records if single_run or a.setup.seed == b.setup.seed]
    if not pairs:
        raise UserError(f"{one.label} and {other.label} have no seed in common; run both with the same --seeds")
    return pairs


def _pairing(mine: Record, theirs: Record, first: pd.DataFrame, second: pd.DataFrame) -> tuple[Pairing, bool]:
    turned = mine.run_id > theirs.run_id
    one, other = (second, first) if turned else (first, second)
    columns = (first["item"], first["text"], one["prediction"], other["prediction"])
    contests = tuple(Contest(*each) for each in zip(*columns, strict=True))
    ids = sorted((mine.run_id, theirs.run_id))
    return Pairing(ids[0], ids[1], _task_instruction(mine), contests), turned


def _answers_to_same_items(mine: Record, theirs: Record, out: Path, items: int | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both runs' answers to the same items, in the same order."""
    first, second = (_task_answers(run, out) for run in (mine, theirs))
    named = ["item", "gold"]
    if first[named].to_numpy().tolist() != second[named].to_numpy().tolist():
        raise UserError(
            f"runs {mine.run_id} and {theirs.run_id} of task '{mine.setup.task}' answered different items; "
            "keep them apart with another --out"
        )
    if items is None or items >= len(first):
        return first, second
    clusters = [None if pd.isna(label) else str(label) for label in first["cluster"]]
    # Texts have no labels. More items hold those of fewer, which are paid for already.
    places = sorted(sample(range(len(first)), items, [""] * len(first), clusters))
    return first.iloc[places], second.iloc[places]


def _task_answers(run: Record, out: Path) -> pd.DataFrame:
    frame = store.read_items(out, run)
    wanted = ["item", "text", "gold", "prediction"]
    part = frame[(frame["kind"] == "task") & (frame["name"] == run.setup.task)] if "kind" in frame else frame
    if part.empty or not set(wanted) <= set(part.columns) or part[wanted].isna().any(axis=None):
        raise UserError(
            f"run {run.run_id} ({run.setup.strategy}) has no texts and answers in {store.folder(out)}; "
            f"delete {run.run_id}.json there, and give its suite's command again"
        )
    return part if "cluster" in part else part.assign(cluster=None)


def cut_texts(all_pairs: Sequence[RowPair]) -> int:
    """Items of which the judge sees the beginning alone, since no more of their texts is kept."""
    contests = (contest for pair in all_pairs for pairing, _ in pair.pairings for contest in pairing.contests)
    return len({contest.text for contest in contests if len(contest.text) in store.CUT_AT and contest.text.endswith(store.CUT)})

"""What an audit of a results folder finds: numbers that differ, how many agree, and what the answers cannot tell."""

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.records import store
from bench.records.record import Record
from reports.audit.intervals import Left, left_out, record_intervals, row_intervals, seed_variance
from reports.audit.published import NOT_OF_ANSWERS, published
from reports.audit.ranks import Rival, holm_by_steps, items_asked, moves_by_rounding, p_of_row, places_of
from reports.audit.reading import Numbers
from reports.audit.reading import Path as Place
from reports.audit.recomputed import recomputed
from reports.audit.table import ShownRow, mean_numbers, shown_columns, shown_rows
from reports.audit.transfers import transfer_numbers
from reports.rows.rows import aggregate

AGREES_WITHIN = 1e-9
"""Of a number, relative to its size where that is above 1."""

LATER = ("accuracy_lost",)
"""The part of a probe that records of the same engine version can lack."""

NAMING = frozenset({"metrics", "elsewhere", "references", "forgetting", "scores", "others", "places", "transfers"})
"""Parts of a record, or of a column, whose entries have names of their own."""


AtPlace = TypeVar("AtPlace")


@dataclass(frozen=True)
class WrongNumber:
    """One number of one record or row that its answers do not give."""

    label: str
    place: Place
    published: float | None
    """None where the answers give a number that is not published."""
    recomputed: float

    @property
    def sentence(self) -> str:
        said = "is not published" if self.published is None else f"is published as {self.published!r}"
        return f"{self.label}: {'.'.join(self.place)} {said}; the answers give {self.recomputed!r}"


@dataclass(frozen=True)
class FromAnswers:
    """What the answers of one run give."""

    numbers: Numbers
    left: Left
    asked: Mapping[Place, Hashable]


@dataclass
class Findings:
    """Of all records and rows."""

    differences: list[WrongNumber] = field(default_factory=list)
    without_items: list[str] = field(default_factory=list)
    """Records with an outcome and without a table of items."""
    imported: list[str] = field(default_factory=list)
    """Those among them that were imported, which may never have had one."""
    checked: int = 0
    largest: float = 0.0
    """The largest difference of all, relative as it is judged."""
    unchecked: Counter[str] = field(default_factory=Counter)
    """What no answer gives -> how many numbers."""

    @property
    def clean(self) -> bool:
        return not self.differences and not self.without_items

    def compare(self, label: str, published_numbers: Numbers, recomputed_numbers: Numbers) -> None:
        """Hold what is published against what was recomputed."""
        for place, number in recomputed_numbers.items():
            said = published_numbers.get(place)
            distance = math.inf if said is None else abs(said - number) / max(1.0, abs(number))
            self.checked += 1
            if not distance <= AGREES_WITHIN:  # so that NaN differs
                self.differences.append(WrongNumber(label, place, said, number))
            if said is not None:
                self.largest = max(self.largest, distance)
        # What cannot be recomputed is told by name, so that nobody takes it for checked.
        for place in published_numbers.keys() - recomputed_numbers.keys():
            self.unchecked[_what(place)] += 1


def audit(out: Path, records: Sequence[Record]) -> Findings:
    """Recompute the numbers of records, and of the rows that tables and pages show of them, from the folder's answers."""
    findings = Findings()
    answered: dict[str, FromAnswers] = {}
    for record in records:
        if record.outcome is None:
            continue
        items = store.read_items(out, record)
        if items.empty:
            # An import may never have had answers; one of our own runs has lost them.
            (findings.imported if record.provenance.source else findings.without_items).append(label_of(record))
            continue
        published_numbers = published(record)
        left = _of_its_time(left_out(record, items), published_numbers)
        made = FromAnswers(_of_its_time(recomputed(record, items), published_numbers), left, items_asked(record, items))
        answered[record.run_id] = made
        findings.compare(label_of(record), published_numbers, made.numbers | record_intervals(left))
    # Rows are checked after all records, since one's interval hangs on the seeds of the others.
    rows = aggregate(records, out)
    shown = list(shown_rows(rows))
    rivals: dict[str, dict[Place, Rival]] = {}
    for row in shown:
        if not _known(row.runs, answered):
            findings.compare(row.label, row.numbers, {})
            continue
        made_of = [answered[run.run_id] for run in row.runs]
        # A row's means are made of numbers that were recomputed, and not of what records say.
        numbers = mean_numbers([made.numbers for made in made_of], row.numbers)
        table = _table(row, shown)
        # A row beside it without answers has a part in the seeds' variance, which can't be made again then.
        if all(_known(runs, answered) for runs in table):
            parts = [[answered[run.run_id].left for run in runs] for runs in table]
            numbers |= row_intervals([made.left for made in made_of], parts, row)
            rivals[row.runs[0].run_id] = _rivals(made_of, parts, row)
            numbers |= _p_values([made.left for made in made_of], parts, row) | transfer_numbers(row, parts, out)
        findings.compare(row.label, row.numbers, numbers)
    for column in shown_columns(rows):
        held = {label: rivals.get(runs[0].run_id, {}).get(column.place) for label, runs in column.rows.items()}
        known = {label: rival for label, rival in held.items() if rival}
        # Without one row the others would be held against fewer than they were.
        numbers = places_of(known, column.higher_is_better) if len(known) == len(held) else {}
        findings.compare(column.label, column.numbers, numbers)
    return findings


def _known(runs: Sequence[Record], answered: Mapping[str, FromAnswers]) -> bool:
    """Whether all of them left answers."""
    return all(run.run_id in answered for run in runs)


def _rivals(runs: Sequence[FromAnswers], table: Sequence[Sequence[Left]], row: ShownRow) -> dict[Place, Rival]:
    """A row's score, and what it lost of each probe, as they are held against other rows'."""
    rivals = {}
    for place, questions in runs[0].asked.items():
        alike = all(place in run.left and run.asked.get(place) == questions for run in runs)
        if alike and place not in row.from_bounds:
            rivals[place] = Rival([run.left[place] for run in runs], seed_variance(place, table), questions)
    return rivals


def _p_values(runs: Sequence[Left], table: Sequence[Sequence[Left]], row: ShownRow) -> Numbers:
    """How surprising each difference is: a probe's loss among all probes of the row, and none of them where one can't be made
    again."""
    numbers: Numbers = {}
    wanted = [place for place in row.numbers if place[-1] == "p"]
    for place in wanted:
        number = place[:-1]
        if number in row.from_bounds or not all(number in run for run in runs):
            continue
        rival = Rival([run[number] for run in runs], seed_variance(number, table), None)
        if not moves_by_rounding(rival):
            numbers[place] = p_of_row(rival)
    lost = [place for place in wanted if place[0] == "forgetting" and len(place) == 3]
    known = [numbers.pop(place) for place in lost if place in numbers]
    return numbers | (dict(zip(lost, holm_by_steps(known), strict=True)) if len(known) == len(lost) else {})


def _of_its_time(numbers: Mapping[Place, AtPlace], known: Numbers) -> dict[Place, AtPlace]:
    """Without the parts that records made before there was such a part lack as a whole."""
    parts = {place[:3] for place in known}
    return {place: number for place, number in numbers.items() if place[2:3] != LATER or place[:3] in parts}


def _table(row: ShownRow, rows: Sequence[ShownRow]) -> list[Sequence[Record]]:
    """The runs of the rows of several seeds that say how far one moves this row's numbers; none for a row that depends on no
    seed."""
    if not row.seeded:
        return []
    beside = [other.runs for other in rows if other.seeded and other.table == row.table and len(other.runs) > 1]
    # As the tables do it: rows that collapsed say nothing of how far a seed moves the others.
    return [runs for runs in beside if sum(_learned(run) for run in runs) > 1] or beside


def _learned(run: Record) -> bool:
    return run.outcome is not None and run.outcome.collapsed is None


def label_of(record: Record) -> str:
    setup = record.setup
    return f"{setup.suite} / {setup.model} / {setup.task} / {setup.strategy} / seed {setup.seed} ({record.run_id})"


def summary(findings: Findings) -> Iterator[str]:
    """The findings in words: one line for each number that differs, and a summary."""
    yield from (difference.sentence for difference in findings.differences)
    for label in findings.imported:
        yield f"{label}: imported without answers; nothing of it can be recomputed"
    for label in findings.without_items:
        yield f"{label}: there is no table of its answers; nothing of it can be recomputed"
    for what, count in sorted(findings.unchecked.items()):
        yield f"not recomputed, since no answer gives it: {what} ({count:,})"
    if not findings.checked:
        yield "no number was recomputed: there are no answers that give one"
        return
    agree = "all agree" if findings.clean else f"{len(findings.differences):,} differ"
    yield f"{findings.checked:,} numbers recomputed, {agree}; the largest difference is {findings.largest:.1e}"


def _what(place: Place) -> str:
    """`losses`, `forgetting.ci_low`: a part of the record without the names of tasks, metrics, probes and wordings, and without
    places in lists."""
    if place[0] in NOT_OF_ANSWERS:
        return place[0]
    told = [name for before, name in zip(("", *place), place, strict=False) if before not in NAMING and not name.isdecimal()]
    return ".".join(told)

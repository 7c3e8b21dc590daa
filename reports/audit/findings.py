"""What an audit of a results folder finds: numbers that differ, how many agree, and what the answers cannot tell."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.records import store
from bench.records.record import Record
from reports.audit.folder_answers import FolderAnswers
from reports.audit.item_columns import Numbers
from reports.audit.item_columns import Path as Place
from reports.audit.published import NOT_OF_ANSWERS, published
from reports.audit.table import shown_columns, shown_rows, shown_together
from reports.audit.table_frontiers import shown_frontiers
from reports.rows.rows import aggregate, ranked

AGREES_WITHIN = 1e-9
"""Of a number, relative to its size where that is above 1."""

NAMING = frozenset(
    {"metrics", "elsewhere", "references", "forgetting", "scores", "others", "places", "pairs", "together", "transfers"}
    | {"frontier", "frontier_share", "per_gain", "at_equal_gain", "frugal", "sparing"}
)
"""Parts of a record, or of a column, whose entries have names of their own."""


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
        state = "is not published" if self.published is None else f"is published as {self.published!r}"
        return f"{self.label}: {'.'.join(self.place)} {state}; the answers give {self.recomputed!r}"


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
            published = published_numbers.get(place)
            distance = math.inf if published is None else abs(published - number) / max(1.0, abs(number))
            self.checked += 1
            if not distance <= AGREES_WITHIN:  # so that NaN differs
                self.differences.append(WrongNumber(label, place, published, number))
            if published is not None:
                self.largest = max(self.largest, distance)
        # What cannot be recomputed is told by name, so that nobody takes it for checked.
        for place in published_numbers.keys() - recomputed_numbers.keys():
            self.unchecked[_kind_of_number(place)] += 1


def audit(out: Path, records: Sequence[Record]) -> Findings:
    """Recompute the numbers of records, and of the rows that tables and pages show of them, from the folder's answers."""
    findings, known = Findings(), FolderAnswers(out)
    for record in records:
        if record.outcome is None:
            continue
        items = store.read_items(out, record)
        if items.empty:
            # An import may never have had answers; one of our own runs has lost them.
            (findings.imported if record.provenance.source else findings.without_items).append(label_of(record))
            continue
        numbers = published(record)
        findings.compare(label_of(record), numbers, known.of_record(record, items, numbers))
    # Rows are checked after all records, since one's interval hangs on the seeds of the others.
    rows = ranked(aggregate(records, out))  # in the order in which a page tells them
    shown = list(shown_rows(rows))
    for row in shown:
        findings.compare(row.label, row.numbers, known.of_row(row, shown))
    for column in shown_columns(rows):
        findings.compare(column.label, column.numbers, known.of_column(column))
    for frontier in shown_frontiers(rows):
        findings.compare(frontier.label, frontier.numbers, known.of_frontier(frontier))
    for tasks in shown_together(rows):
        findings.compare(tasks.label, tasks.numbers, known.of_tasks(tasks))
    return findings


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
        yield f"not recomputed, for want of answers that give it: {what} ({count:,})"
    if not findings.checked:
        yield "no number was recomputed: there are no answers that give one"
        return
    agree = "all agree" if findings.clean else f"{len(findings.differences):,} differ"
    yield f"{findings.checked:,} numbers recomputed, {agree}; the largest difference is {findings.largest:.1e}"


def _kind_of_number(place: Place) -> str:
    """`losses`, `forgetting.ci_low`: a part of the record without the names of tasks, metrics, probes and wordings, and without
    places in lists."""
    if place[0] in NOT_OF_ANSWERS:
        return place[0]
    naming = [name for before, name in zip(("", *place), place, strict=False) if before not in NAMING and not name.isdecimal()]
    return ".".join(naming)

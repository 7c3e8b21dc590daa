"""A new folder of results held against an old one: what changed, what could not be compared, and what all of it comes to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from bench.records.record import Record
from bench.statistics.change import ChangeVerdict, change_verdicts
from bench.statistics.comparison import stacked
from bench.statistics.detectable import Detectable, detectable
from reports.gate.change import Change, MatchDifference
from reports.gate.differences import Noise, cost_differences, costs_not_compared, measure_differences, measures_not_compared
from reports.gate.sides import Match, Side, failures, key_of, matched, named, rows_once
from reports.gate.tolerance import Tolerance
from reports.rows.row import Row

NOTHING_OF_SEEDS = (
    "nothing is known of how far a seed moves it, for it has one seed on either side; run it with --seeds 2 or more, or accept "
    "such runs"
)

_HELD_AGAINST_NOTHING = (
    "it was held against nothing, for beside it the new folder has the very runs of the old one; give new results a folder of "
    "their own"
)


@dataclass(frozen=True)
class Compared:
    """What is said of the new side."""

    new: Side
    old: Side
    within: Tolerance
    changes: Sequence[Change]
    broken: Sequence[str]
    """Rows that had a score before and now fail, with the reason: worse than any number."""
    refused: Sequence[str]
    """Rows that could not be compared, with what differs."""
    remarks: Sequence[str]
    """What was changed: no verdict, and it explains one."""
    notes: Sequence[str]
    """What the numbers do not tell: collapses, seeds that are missing, numbers that are not compared."""

    @property
    def worse(self) -> list[Change]:
        return [change for change in self.changes if change.verdict == "worse"]

    @property
    def status(self) -> int:
        """Of the command: 1 where something became worse, 2 where something could not be compared, else 0."""
        # A regression is told even where something else could not be compared.
        return 1 if self.worse or self.broken else 2 if self.refused or not self.changes else 0


def compared(
    new: Side,
    old: Side,
    earlier: Sequence[Sequence[Record]],
    within: Tolerance,
    seconds: bool = False,
    allow_missing: bool = False,
) -> Compared:
    """The new side held against the old; `earlier` are baselines before it, the newest first, which tell more of the noise."""
    rows = new.rows, old.rows
    matches, added, gone = matched(*rows)
    failed, missing = list(failures(*rows)), set(map(id, gone))
    refused = [f"{match.where}: {'; '.join(match.unlike)}" for match in matches if match.unlike]
    # Rows that answer another question say nothing of how far a seed moves this one.
    fitting = [match for match in matches if not match.unlike]
    noise = Noise(fitting, _earlier_rows_like(earlier, old, [match.old for match in fitting]))
    refused += [f"{match.where}: {NOTHING_OF_SEEDS}" for match in fitting if not noise.known(match)]
    # With one seed on either side a difference would be held against items alone.
    known = [match for match in fitting if noise.known(match)]
    # A seed that failed before as well is no news, as long as some of the row has a score.
    broken = [each for row, now, before in failed for each in (now if id(row) in missing else _failing_anew(now, before))]
    lost = [f"{named(row)}: {new.name} has no such row" for row, now, _ in failed if id(row) in missing and not now]
    remarks = [f"{match.where}: {', '.join(match.changed)}" for match in known if match.changed]
    # Where the old runs lie on the new side they hide what was done anew under other settings, or by another engine.
    copied = {key_of(match.new) for match in matches if match.same_runs}
    refused += [f"{named(row)}: {_HELD_AGAINST_NOTHING}" for row in added if key_of(row) in copied]
    remarks += [f"{named(row)}: {old.name} has no such row" for row in added if key_of(row) not in copied]
    return Compared(
        new,
        old,
        within,
        # Scores and forgetting are one family of Holm's and costs another: many costs hide no fall in quality.
        _changes_among([difference for match in known for difference in measure_differences(match, noise, within)])
        + _changes_among([difference for match in known for difference in cost_differences(match, noise, within, seconds)]),
        # A run that failed may be like several old rows, and is one failure.
        list(dict.fromkeys(map(_failure_sentence, broken))),
        refused if allow_missing else [*refused, *lost],
        [*remarks, *lost] if allow_missing else remarks,
        [
            *(f"{match.where}: {told}" for match in known for told in _told_of_seeds(match)),
            *measures_not_compared(known),
            *costs_not_compared(known, seconds),
        ],
    )


def _changes_among(numbers: Sequence[MatchDifference]) -> list[Change]:
    """What is said of them together."""
    if not numbers:
        return []
    together = stacked([difference.margin for difference in numbers])
    rises, within, reach = (
        np.array([getattr(difference, name) for difference in numbers]) for name in ("rise", "within", "reach")
    )
    tested = change_verdicts(rises, together, within, reach)
    return [
        Change(difference, float(p), cast(ChangeVerdict, str(verdict)), _detectable_change(difference, len(numbers)))
        for difference, p, verdict in zip(numbers, tested.p, tested.verdicts, strict=True)
    ]


def _detectable_change(difference: MatchDifference, tests: int) -> Detectable:
    # Holm's first step stands for all: how late a number's turn comes hangs on the others.
    return detectable(difference.margin, tests, difference.accuracy, difference.within, falls=True)


def _told_of_seeds(match: Match) -> Iterator[str]:
    """What the means of the two rows do not tell of their seeds."""
    new, old = match.new, match.old
    if new.collapsed / len(new.records) > old.collapsed / len(old.records):
        yield f"{new.collapsed} of {len(new.records)} seeds collapsed, and {old.collapsed} of {len(old.records)} before"
    seeds, before = ([run.setup.seed for run in row.records] for row in (new, old))
    # Other seeds in their place are others by choice.
    if set(seeds) < set(before):
        missing = [str(seed) for seed in before if seed not in seeds]
        yield f"without seed{'s' * (len(missing) > 1)} {', '.join(missing)}, which the old one has"


def _failing_anew(now: Sequence[Row], before: Sequence[Row]) -> Iterator[Row]:
    """Of rows that fail, the runs whose seeds did not fail before."""
    seeds = {run.setup.seed for row in before for run in row.records}
    for row in now:
        if news := tuple(run for run in row.records if run.setup.seed not in seeds):
            yield replace(row, records=news)


def _failure_sentence(row: Row) -> str:
    """`sentiment: minilm on sst2: full (seed 2): failed: loss is not finite`"""
    return f"{named(row)} (seed {row.seeds}): {row.status}: {row.reason}"


def _earlier_rows_like(earlier: Sequence[Sequence[Record]], old: Side, rows: Sequence[Row]) -> list[Row]:
    """Earlier rows of the same question as one of these."""
    earlier_rows = rows_once(earlier, old.records)
    return [row for row in earlier_rows if any(key_of(row) == key_of(other) and not Match(row, other).unlike for other in rows)]

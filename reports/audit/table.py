"""The rows that tables and pages show, their numbers, and means of the recomputed numbers of their runs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.records.record import Record
from reports.audit.reading import Numbers
from reports.audit.reading import Path as Place
from reports.rows.row import Row
from reports.rows.rows import aggregate


@dataclass(frozen=True)
class ShownRow:
    """A row of a table: its runs, and its numbers by their places in a record's outcome."""

    label: str
    runs: Sequence[Record]
    numbers: Numbers
    from_bounds: frozenset[Place]
    """Places of intervals whose part over items is that of the runs' own bounds."""

    @property
    def table(self) -> tuple[str, str, str, bool]:
        """Rows of one table say together how far a seed moves a number; a seed of training moves others than one that chooses
        solved examples."""
        setup, cost = self.runs[0].setup, self.runs[0].cost
        return setup.suite, setup.model, setup.task, cost is not None and bool(cost.train_examples)

    @property
    def seeded(self) -> bool:
        """Whether the row depends on a seed, as far as its records say."""
        inputs = self.runs[0].provenance.inputs
        return not inputs or "seed" in inputs


def shown_rows(records: Sequence[Record], out: Path) -> Iterator[ShownRow]:
    """Rows with a score."""
    for row in aggregate(records, out):
        if row.score is not None:
            label = f"row {' / '.join(row.group)} / {row.label} (seeds {row.seeds})"
            from_bounds = frozenset(place for place, estimate in shown_estimates(row) if estimate.basis == "bounds")
            yield ShownRow(label, row.records, dict(_numbers(row)), from_bounds)


BOUNDS = ("ci_low", "ci_high")


def mean_numbers(runs: Sequence[Numbers], wanted: Mapping[Place, float]) -> Numbers:
    """The mean over runs of each number that is wanted and that each run has; bounds of intervals are no means."""
    return {
        place: math.fsum(run[place] for run in runs) / len(runs)
        for place in wanted
        # A mean of what some runs have would be held against a mean of all.
        if place[-1] not in BOUNDS and all(place in run for run in runs)
    }


class Estimated(Protocol):
    """A mean over runs with the bounds of its interval, as rows have it."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def basis(self) -> str: ...


def shown_estimates(row: Row) -> Iterator[tuple[Place, Estimated]]:
    """Every mean of a row that has an interval, by the place of its number in a record's outcome."""
    for place, known in ((("score",), row.score), (("gain",), row.gain), (("best_base", "gain"), row.over_best)):
        if known is not None:
            yield place, known
    for name, metric in row.metrics.items():
        yield ("metrics", name), metric.value
    for name, away in row.elsewhere.items():
        yield ("elsewhere", name, "score"), away.score
        yield ("elsewhere", name, "gain"), away.gain
        if away.over_best is not None:
            yield ("elsewhere", name, "best_base", "gain"), away.over_best
    for words, score in row.wordings.scores.items() if row.wordings else ():
        yield ("robustness", "scores", words), score
    for name, forgotten in row.forgetting.items():
        yield ("forgetting", name), forgotten.lost
        if forgotten.accuracy_lost is not None:
            yield ("forgetting", name, "accuracy_lost"), forgotten.accuracy_lost


def _numbers(row: Row) -> Iterator[tuple[Place, float]]:
    for place, estimate in shown_estimates(row):
        alone = len(place) == 2 and place[0] == "forgetting"
        # Records call what a probe lost `delta`, and every other number of this kind `value`.
        yield (*place, "delta" if alone else "value"), estimate.value
        for end, bound in zip(BOUNDS, (estimate.low, estimate.high), strict=True):
            if bound is not None:
                yield (*place, end), bound
    for name, forgotten in row.forgetting.items():
        if forgotten.before is not None and forgotten.after is not None:
            yield ("forgetting", name, "before"), forgotten.before
            yield ("forgetting", name, "after"), forgotten.after
        for other, pair in forgotten.others.items():
            yield ("forgetting", name, "others", other, "before"), pair.before
            yield ("forgetting", name, "others", other, "after"), pair.after
    if row.relative_forgetting is not None:
        yield ("relative_forgetting",), row.relative_forgetting
    if row.stages:
        yield from ((("stages", name), getattr(row.stages, name)) for name in MEASURES)


MEASURES = ("backward_transfer", "forward_transfer", "forgetting")

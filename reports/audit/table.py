"""The rows that tables and pages show, their numbers, and means of the recomputed numbers of their runs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.records.record import Record
from reports.audit.item_columns import Numbers
from reports.audit.item_columns import Path as Place
from reports.rows.across import Across, across
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names
from reports.rows.standing import Standing, forgetting_standing, score_standing


@dataclass(frozen=True)
class ShownRow:
    """A row of a table: its runs, and its numbers by their places in a record's outcome."""

    label: str
    runs: Sequence[Record]
    numbers: Numbers
    from_bounds: frozenset[Place]
    """Places of intervals that are made of the runs' own bounds, and not of their answers."""
    alone: Mapping[str, Sequence[Record]]
    """Of each task that the row mixes: the runs on that task alone that it is held against."""

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


def shown_rows(rows: Sequence[Row]) -> Iterator[ShownRow]:
    """Rows with a score."""
    for row in rows:
        if row.score is not None:
            label = f"row {' / '.join(row.group)} / {row.label} (seeds {row.seeds})"
            from_bounds = frozenset(place for place, estimate in shown_estimates(row) if estimate.answered is None)
            alone = {transfer.task: transfer.runs for transfer in row.transfers}
            yield ShownRow(label, row.records, dict(_shown_row_numbers(row)), from_bounds, alone)


@dataclass(frozen=True)
class ShownColumn:
    """A column of a table in which rows have places."""

    label: str
    place: Place
    """Of its number in a record's outcome."""
    higher_is_better: bool
    rows: Mapping[str, Sequence[Record]]
    """The runs of each row that has places, by the row's label."""
    share: bool
    """Whether the number is one between 0 and 1, of which is known how it varies at another one."""
    numbers: Numbers
    """The best and the worst place of each row, the smallest detectable difference, and what is told of pairs of rows."""


def shown_columns(rows: Sequence[Row]) -> Iterator[ShownColumn]:
    """The score, and what was lost of each probe, in each table that ranks its rows by them."""
    for group, of_group in grouped(rows).items():
        table = [row for row in of_group if row.score]
        standings: dict[Place, Standing | None] = {("score",): score_standing(table)}
        standings |= {("forgetting", probe): forgetting_standing(table, probe) for probe in probe_names(table)}
        for place, standing in standings.items():
            if standing is not None:
                placed = next(row for row in table if standing.of(row))
                higher = placed.higher_is_better if place == ("score",) else False
                label = f"{' / '.join(group)} / {'.'.join(place)}"
                rows_placed = {row.label: row.records for row in table if standing.of(row)}
                share = place == ("score",) and standing.quantity.share
                numbers = dict(_standing_numbers(table, standing))
                # What is told of two rows is how far their scores are apart.
                numbers |= dict(_pair_numbers(list(rows_placed), standing)) if place == ("score",) else {}
                yield ShownColumn(label, place, higher, rows_placed, share, numbers)


def _standing_numbers(table: Sequence[Row], standing: Standing) -> Iterator[tuple[Place, float]]:
    for row in table:
        for end, at in zip(BEST_AND_WORST, standing.of(row) or (), strict=False):
            yield ("places", row.label, end), float(at)
    if standing.detectable:
        yield from ((("detectable", name), number) for name, number in vars(standing.detectable).items())


def _pair_numbers(names: Sequence[str], standing: Standing) -> Iterator[tuple[Place, float]]:
    for pair in standing.told_pairs:
        by_name = {"value": pair.value, "ci_low": pair.low, "ci_high": pair.high, "p": pair.p, "paired": float(pair.paired)}
        yield from ((("pairs", f"{names[pair.one]} - {names[pair.other]}", name), number) for name, number in by_name.items())


@dataclass(frozen=True)
class ShownTogether:
    """The rows of a suite and model over several tasks: what each task's rows ran, and what is shown of them."""

    label: str
    names: Sequence[str]
    """Labels of the rows that stand on every task."""
    tasks: Sequence[Mapping[str, Sequence[Record]]]
    """Of each task that counts, the runs of all its rows by their labels."""
    numbers: Numbers


def shown_together(rows: Sequence[Row]) -> Iterator[ShownTogether]:
    """Where a suite has several tasks."""
    by_table = grouped([row for row in rows if row.score and row.base_score is not None])
    for shown in across(rows):
        tables = [by_table[shown.suite, shown.model, task] for task in shown.tasks]
        # Of two rows of one label the first stands for it.
        tasks = [{row.label: row.records for row in reversed(table)} for table in tables]
        label = f"{shown.suite} / {shown.model} / all tasks"
        yield ShownTogether(label, [row.label for row in shown.rows], tasks, dict(_together_numbers(shown)))


def _together_numbers(shown: Across) -> Iterator[tuple[Place, float]]:
    yield ("critical",), shown.critical
    for row, places in zip(shown.rows, shown.places, strict=True):
        by_name = {"middle": row.middle, "rank": row.rank} | dict(zip(BEST_AND_WORST, map(float, places), strict=True))
        by_name |= dict(zip(BOUNDS, row.bounds or (), strict=False))
        yield from ((("together", row.label, name), number) for name, number in by_name.items())


BOUNDS = ("ci_low", "ci_high")
DIFFERENCES = {"gain", "forgetting", "transfers"}
"""Parts of a place in whose numbers a p value says whether they are more than chance."""
BEST_AND_WORST = ("best", "worst")
SEED_DEVIATION, SMALLEST_SHOWN = "seed_sd", "smallest_shown"
"""What stands beside a mean over seeds, and beside what a probe lost."""


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
    def p(self) -> float | None: ...
    @property
    def seed_sd(self) -> float | None: ...
    @property
    def answered(self) -> object: ...


def shown_estimates(row: Row) -> Iterator[tuple[Place, Estimated]]:
    """Every mean of a row that has an interval, by the place of its number in a record's outcome."""
    for place, known in ((("score",), row.score), (("gain",), row.gain), (("best_base", "gain"), row.over_best)):
        if known is not None:
            yield place, known
    for name, metric in row.metrics.items():
        yield ("metrics", name), metric.value
    for transfer in row.transfers:
        yield ("transfers", transfer.task), transfer.rise
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


def _shown_row_numbers(row: Row) -> Iterator[tuple[Place, float]]:
    for place, estimate in shown_estimates(row):
        alone = len(place) == 2 and place[0] == "forgetting"
        # Records call what a probe lost `delta`, and every other number of this kind `value`.
        yield (*place, "delta" if alone else "value"), estimate.value
        for end, bound in zip(BOUNDS, (estimate.low, estimate.high), strict=True):
            if bound is not None:
                yield (*place, end), bound
        # Of a score it would say that it is not zero, and nobody asks for that.
        if estimate.p is not None and DIFFERENCES & set(place):
            yield (*place, "p"), estimate.p
        if estimate.seed_sd is not None:
            yield (*place, SEED_DEVIATION), estimate.seed_sd
    for transfer in row.transfers:
        yield ("transfers", transfer.task, "together"), transfer.together
        yield ("transfers", transfer.task, "alone"), transfer.alone
        yield ("transfers", transfer.task, "items"), transfer.items
    for name, forgotten in row.forgetting.items():
        if forgotten.before is not None and forgotten.after is not None:
            yield ("forgetting", name, "before"), forgotten.before
            yield ("forgetting", name, "after"), forgotten.after
        if forgotten.smallest is not None:
            yield ("forgetting", name, SMALLEST_SHOWN), forgotten.smallest
        for other, pair in forgotten.others.items():
            yield ("forgetting", name, "others", other, "before"), pair.before
            yield ("forgetting", name, "others", other, "after"), pair.after
    for place, mean in _over_seeds_alone(row):
        yield place, mean.value
        ends = zip(BOUNDS, (mean.low, mean.high), strict=True)
        yield from (((*place, end), bound) for end, bound in ends if bound is not None)
    if row.wordings is not None:
        yield WORDINGS_SPREAD, row.wordings.spread
    if row.stages:
        yield from ((("stages", "base", str(task)), score) for task, score in enumerate(row.stages.base))


def _over_seeds_alone(row: Row) -> Iterator[tuple[Place, Estimated]]:
    """Every mean whose interval holds other seeds and no other items."""
    if row.relative_forgetting is not None:
        yield ("relative_forgetting",), row.relative_forgetting
    if row.stages:
        yield from ((("stages", name), getattr(row.stages, name)) for name in MEASURES)
        for stage, scores in enumerate(row.stages.scores):
            yield from ((("stages", "scores", str(stage), str(task)), score) for task, score in enumerate(scores))


WORDINGS_SPREAD: Place = ("robustness", "spread")
"""Between the best and the worst wording of a run."""
MEASURES = ("backward_transfer", "forward_transfer", "forgetting")

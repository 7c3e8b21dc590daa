"""The intervals of a record and of a row once more, from the items alone."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Generic, NamedTuple, TypeVar

import pandas as pd

from bench.records.record import Record
from reports.audit import leaving_out
from reports.audit.counting import Bounded
from reports.audit.imported_means import answered_means
from reports.audit.item_columns import Numbers, Path, complete
from reports.audit.leaving_out import LeftOut, SeedVariance, bounds, bounds_of_bounds, own_variance, variance_of
from reports.audit.others_metrics import METRICS, RATE_COLUMNS
from reports.audit.probing import DISTANCES, ProbeItems
from reports.audit.recomputed import predictions_and_gold, probe_parts, single_scores, task_parts
from reports.audit.table import BOUNDS, SEED_DEVIATION, ShownRow

SEEDS_ALONE = ("relative_forgetting", "stages")
"""Numbers without an interval over items."""
Left = dict[Path, LeftOut]
"""By the place of the number in a record's outcome."""
OfRun = TypeVar("OfRun")


class SeededRow(NamedTuple, Generic[OfRun]):
    """A row that depends on a seed: what is known of each of its runs, and whether that run collapsed."""

    runs: Sequence[OfRun]
    collapsed: Sequence[bool]


@dataclass(frozen=True)
class SeededTable(Generic[OfRun]):
    """The rows of several seeds that say how far one moves a row's numbers, its own among them."""

    rows: Sequence[SeededRow[OfRun]] = ()
    fallen: bool = False
    """Whether a run of the row itself collapsed."""

    def variance(self, number: Callable[[OfRun], float | None]) -> SeedVariance:
        """As the tables do it: of rows of which no run collapsed, or else of the runs that did not; for a row of which one did,
        of such rows that vary more than these."""
        told = [([number(run) for run in row.runs], row.collapsed) for row in self.rows]
        known = [([value for value in values if value is not None], fell) for values, fell in told if None not in values]
        steady = _pooled_seed_variance([values for values, fell in known if not any(fell)])
        if not steady.freedom:
            steady = _pooled_seed_variance([[value for value, fell in zip(*row, strict=True) if not fell] for row in known])
        if not steady.freedom:
            return _pooled_seed_variance([values for values, _ in known])
        wild = [values for values, fell in known if any(fell) and len(values) > 1 and variance_of(values) > steady.variance]
        return _pooled_seed_variance(wild) if self.fallen and wild else steady


def left_out(record: Record, items: pd.DataFrame) -> Left:
    """Each number that has an interval, with its items left out."""
    if record.outcome is None or items.empty:
        return {}
    left_by_place: Left = {}
    trained = bool(record.cost and record.cost.train_examples)
    for place, answered, score, metrics in task_parts(record, items):
        left_by_place |= {(*place, *inner): left for inner, left in _task_left_out(answered, score, metrics, trained)}
    for mean in answered_means(record, items):
        if len(mean.values) > 1:  # one item says nothing of others
            left_by_place[mean.place] = leaving_out.of_mean(mean.items, mean.values, [1.0] * len(mean.values), mean.bounded)
    for place, answered in single_scores(items):
        left = _score_left_out(answered, record.outcome.score.name, "prediction")
        left_by_place |= {place: left} if left else {}
    for name, probe in probe_parts(record, items):
        left_by_place |= {("forgetting", name, *inner): left for inner, left in _probe_left_out(probe, trained)}
    return left_by_place


def record_intervals(left: Mapping[Path, LeftOut]) -> Numbers:
    """Both ends of every interval of one run, by their places."""
    return {(*place, end): bound for place, each in left.items() for end, bound in zip(BOUNDS, bounds([each]), strict=True)}


def row_intervals(runs: Sequence[Left], table: SeededTable[Left], row: ShownRow) -> Numbers:
    """Both ends of every interval that a row shows of its means over runs, one per seed.

    Of a table without rows, the row depends on no seed.
    """
    intervals: Numbers = {}
    for place in runs[0]:
        mine = [run[place] for run in runs if place in run]
        if (*place, BOUNDS[0]) in row.numbers and len(mine) == len(runs):
            seeds = seed_variance(place, table)
            ends = bounds_of_bounds(mine, seeds) if place in row.from_bounds else bounds(mine, seeds)
            intervals |= {(*place, end): bound for end, bound in zip(BOUNDS, ends, strict=True)}
    return intervals


def seed_deviations(runs: Sequence[Left], row: ShownRow) -> Numbers:
    """The standard deviation over seeds beside each mean of the row."""
    if len(runs) < 2:
        return {}
    return {
        (*place, SEED_DEVIATION): math.sqrt(own_variance([run[place] for run in runs]))
        for place in runs[0]
        if {(*place, "value"), (*place, "delta")} & row.numbers.keys() and all(place in run for run in runs)
    }


def seed_variance(place: Path, table: SeededTable[Left]) -> SeedVariance:
    """How far a seed moves a number."""
    moved = _place_moved_by_seeds(place)
    return table.variance(lambda run: run[moved].value if moved in run else None)


def seeds_alone_intervals(runs: Sequence[Numbers], table: SeededTable[Numbers], row: ShownRow) -> Numbers:
    """Both ends of the intervals of relative forgetting and of what stages left behind, which hold other seeds and no items."""
    intervals: Numbers = {}
    for *number, end in row.numbers:
        place = tuple(number)
        if end != BOUNDS[0] or place[0] not in SEEDS_ALONE or not all(place in run for run in runs):
            continue
        bounded = _bounded_as(place, row, runs[0])
        if bounded is None:
            continue
        values = [run[place] for run in runs]
        seeds = table.variance(methodcaller("get", place))
        ends = leaving_out.bounds_over_seeds(values, seeds, bounded)
        intervals |= {(*place, end): bound for end, bound in zip(BOUNDS, ends, strict=True)}
    return intervals


def _bounded_as(place: Path, row: ShownRow, run: Numbers) -> Bounded | None:
    """Of stages, a score may be a share: that is told by the task's score, the run's own or elsewhere; None where no answers to
    that task are left."""
    outcome = row.runs[0].outcome
    if place[:2] != ("stages", "scores") or outcome is None or outcome.stages is None:
        return "number"
    tasks = outcome.stages.tasks
    task = tasks[int(place[3])]
    score: Path = ("score",) if task == tasks[-1] else ("elsewhere", task, "score")
    if (*score, "share") not in run:
        return None
    return "share" if run[*score, "share"] and run[*score, "higher_is_better"] else "number"


def _place_moved_by_seeds(place: Path) -> Path:
    """The base is the same for all seeds, which move a gain as far as the score that it is the gain of."""
    for gain in (("best_base", "gain"), ("gain",)):
        if place[-len(gain) :] == gain:
            return (*place[: -len(gain)], "score")
    return place


def _pooled_seed_variance(rows: Sequence[Sequence[float]]) -> SeedVariance:
    squares = math.fsum(variance_of(row) * (len(row) - 1) for row in rows if len(row) > 1)
    freedom = sum(len(row) - 1 for row in rows if len(row) > 1)
    return SeedVariance(squares / freedom, freedom) if freedom else SeedVariance()


def _task_left_out(answered: pd.DataFrame, score: str, metrics: Sequence[str], trained: bool) -> Iterator[tuple[Path, LeftOut]]:
    after = _score_left_out(answered, score, "prediction")
    if after is not None:
        yield ("score",), after
    for name in metrics:
        left = _score_left_out(answered, name, "prediction")
        if left is not None:
            yield ("metrics", name), left
    # A gain leaves an item out of both models at once, as they answered the same ones.
    for column, place in (("before", ("gain",)), ("best_before", ("best_base", "gain"))):
        before = _score_left_out(answered, score, column)
        if after is not None and before is not None:
            yield place, after.minus(before, METRICS[score].sign, trained)


def _score_left_out(answered: pd.DataFrame, metric: str, column: str) -> LeftOut | None:
    if metric in RATE_COLUMNS:
        known = answered[answered[metric].notna()] if metric in answered else answered.head(0)
        values = complete(known, metric)
        bounded: Bounded = "mean of shares" if RATE_COLUMNS[metric][1] else "number"
        return leaving_out.of_mean(known, values, [1.0] * len(values), bounded) if values else None
    texts = predictions_and_gold(answered, metric, column)
    return leaving_out.of_metric(answered, metric, *texts) if texts else None


def _probe_left_out(probe: ProbeItems, trained: bool) -> Iterator[tuple[Path, LeftOut]]:
    """What was lost, by rounding alone, and of right answers."""
    before, rounded, after = (_probe_score(probe, column) for column in ("before_value", "rounded_value", "value"))
    for place, now in (((), after), (("quantisation",), rounded)):
        if before is not None and now is not None:
            yield place, before.minus(now, probe.sign)
    old, new = (_mean_left_out(probe.items, column) for column in ("before_right", "right"))
    if old is not None and new is not None:
        yield ("accuracy_lost",), old.minus(new, trained=trained)


def _mean_left_out(items: pd.DataFrame, column: str) -> LeftOut | None:
    values = complete(items, column)
    return leaving_out.of_mean(items, values, [1.0] * len(values), "mean of shares") if values else None


def _probe_score(probe: ProbeItems, column: str) -> LeftOut | None:
    values, items = complete(probe.items, column), probe.items
    if values is None or probe.kind in DISTANCES:
        return None
    # All other probes are weighted means of their items.
    if probe.kind != "similarity":
        return leaving_out.of_mean(items, values, complete(items, "weight") or [1.0] * len(values), "number")
    gold = complete(items, "gold")
    if gold is None or len(set(gold)) < 2:
        return None
    if probe.options.get("gold") == "graded":
        return _correlation(items, values, gold)
    return leaving_out.of_ranking(items, values, gold)


def _correlation(items: pd.DataFrame, values: Sequence[float], gold: Sequence[float]) -> LeftOut | None:
    """None where some of the items by themselves have no order."""
    from scipy.stats import spearmanr

    def score(left: list[int]) -> float:
        return float(spearmanr([gold[place] for place in left], [values[place] for place in left]).statistic)

    if len(set(values)) < 2:
        return None
    left = leaving_out.of_score(items, score)
    return left if all(map(math.isfinite, left.without)) else None

"""The smallest difference that two of a column's rows would mostly have shown, once more: a plain mean over 200 quantiles.

Formula: docs/method/scores.md.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bench.records.record import Record
from reports.audit.item_columns import Numbers
from reports.audit.leaving_out import own_answers_variance
from reports.audit.ranks import CHANCE, Rival, Varying, variances_of_pair

FOUND = 0.8
"""How often a smallest difference is to be found."""
QUANTILES = 200
NO_PART: Varying = (0.0, 0.0)
KNOWN = 1e6
"""Degrees of freedom of what an interval alone tells."""
WithEnds = tuple[float, float, float]
"""A number, and the two ends of its interval."""


@dataclass(frozen=True)
class Average:
    """What the difference of an average pair varies by."""

    items: Varying
    parts: Sequence[Varying]
    """Over seeds: of both rows together, or of each where their seeds do something else."""
    share: float | None
    """The mean score where the variance over items is known at other scores too: of a number between 0 and 1."""


def that_vary_alike(rows: Mapping[str, Sequence[Record]]) -> list[str]:
    """The rows of which the difference is told: those that train and of which no run collapsed; of fewer than two such rows
    those of which none did, or that train, or all."""
    sound = [name for name, runs in rows.items() if all(run.outcome and run.outcome.collapsed is None for run in runs)]
    training = [name for name, runs in rows.items() if runs[0].cost and runs[0].cost.train_examples]
    for alike in ([name for name in training if name in sound], sound, training):
        if len(alike) > 1:
            return alike
    return list(rows)


def detectable_difference(rivals: Mapping[str, Rival], alike: Sequence[str], share: bool) -> Numbers:
    """The difference, the range of 80 in 100 tables that holds the truth, and what seeds alone allow; nothing where nothing
    varies. All rows answered the same items. A `share` is a number between 0 and 1."""
    names, rows = list(rivals), [rivals[name] for name in rivals if name in alike]
    variances = [variances_of_pair(one, other) for place, one in enumerate(rows) for other in rows[place + 1 :]]
    parts = [_mean_varying([seeds[number] if number < len(seeds) else NO_PART for _, seeds in variances]) for number in (0, 1)]
    items = (sum(items[0] for items, _ in variances) / len(variances), sum(items[1] for items, _ in variances) / len(variances))
    if not items[0] + parts[0][0] + parts[1][0]:
        return {}
    mean = sum(row.value for row in rows) / len(rows)
    average, level = Average(items, parts, mean if share else None), _level_of_each(len(names))
    value = low = high = _smallest_found(average, level)
    floor = 0.0
    if any(variance for variance, _ in parts):
        known = float(sum(len(row.runs) - 1 for row in rows))
        low, high = (_smallest_found(_seeds_at(average, tail, known), level) for tail in (0.1, 0.9))
        endless = replace(average, items=(0.0, items[1]), parts=_on_endless_items(rows, parts))
        # Where the answers' own chance is all that moved the seeds, any difference is found on enough items.
        floor = _smallest_found(endless, level) if any(variance for variance, _ in endless.parts) else 0.0
    return {("detectable", name): d for name, d in (("value", value), ("low", low), ("high", high), ("floor", floor))}


def detectable_by_intervals(intervals: Mapping[str, WithEnds], alike: Sequence[str]) -> Numbers:
    """The same of rows that are held against each other by their intervals over items alone: there are no seeds to know badly,
    and no floor that they set."""
    rows = [intervals[name] for name in intervals if name in alike]
    reaches = [_reach_between(one, other) for place, one in enumerate(rows) for other in rows[place + 1 :]]
    variance = math.fsum((reach / _two_sided_t(CHANCE, KNOWN)) ** 2 for reach in reaches) / len(reaches)
    if not variance:
        return {}
    found = _smallest_found(Average((variance, KNOWN), [NO_PART, NO_PART], None), _level_of_each(len(intervals)))
    return {("detectable", name): d for name, d in (("value", found), ("low", found), ("high", found), ("floor", 0.0))}


def _reach_between(one: WithEnds, other: WithEnds) -> float:
    """How far apart two rows must be for their difference to be more than chance (Zou & Donner 2008)."""
    (upper, start, _), (lower, _, end) = (one, other) if one[0] >= other[0] else (other, one)
    return math.hypot(upper - start, end - lower)


def _level_of_each(rows: int) -> float:
    """Of so many rows all pairs are looked at together."""
    return CHANCE / (rows * (rows - 1) // 2)


def smallest_loss(low: float, high: float, items: float) -> float:
    """What a t test of a probe's items finds four times out of five, from the interval of what it lost."""
    from scipy.stats import t

    return (high - low) / 2 * (1 + float(t.ppf(FOUND, items - 1) / t.ppf(1 - CHANCE / 2, items - 1)))


def _mean_varying(parts: Sequence[Varying]) -> Varying:
    """Degrees of freedom are those of the pairs in which the part varies."""
    freedoms = [freedom for variance, freedom in parts if variance > 0]
    return sum(variance for variance, _ in parts) / len(parts), sum(freedoms) / len(freedoms) if freedoms else 0.0


def _on_endless_items(rows: Sequence[Rival], parts: Sequence[Varying]) -> Sequence[Varying]:
    """Variances over seeds without what their own answers to these items make of them, of both parts alike."""
    own = [own_answers_variance(row.runs) / len(row.runs) for row in rows]
    # Each row stands in as many pairs as any other, and a pair is of two.
    left = max(1 - 2 * math.fsum(own) / len(own) / math.fsum(variance for variance, _ in parts), 0.0)
    return [(variance * left, freedom) for variance, freedom in parts]


def _seeds_at(average: Average, tail: float, known: float) -> Average:
    """With variances over seeds as large as they would be if so many of 100 estimates were larger."""
    from scipy.stats import chi2

    freedoms = (max(average.parts[0][1], known), average.parts[1][1])
    parts = [
        (variance * freedom / float(chi2.isf(tail, freedom)) if variance else 0.0, own)
        for (variance, own), freedom in zip(average.parts, freedoms, strict=True)
    ]
    return replace(average, parts=parts)


def _smallest_found(average: Average, level: float) -> float:
    """The difference that is found four times out of five; of a number without an end where no loss of the score is."""
    from scipy.optimize import brentq

    lacking = _found_share_lacking(average, level)
    reaches = [math.sqrt(v) * _two_sided_t(level, freedom) for v, freedom in (average.items, *average.parts) if v]
    most = 10 * math.hypot(*reaches) + 1e-12
    if average.share is not None:
        most = min(most, max(average.share, 1 - average.share))
        # Where not even the loss of the whole score is found so often, items vary as they do at the score itself.
        if lacking(most) < 0:
            return _smallest_found(replace(average, share=None), level)
    return float(brentq(lacking, 0.0, most, xtol=1e-13))


def _found_share_lacking(average: Average, level: float) -> Callable[[float], float]:
    """Of a difference, how often it is found, less the share that is asked for."""
    first, second = (
        [(variance * ratio, _two_sided_t(level, freedom)) for ratio in _chi2_quantile_ratios(freedom)]
        if variance
        else [(0.0, 0.0)]
        for variance, freedom in average.parts
    )
    seeds = [one * t**2 + other * u**2 for one, t in first for other, u in second]
    true = sum(variance for variance, _ in average.parts)

    def lacking(difference: float) -> float:
        items = average.items[0] * _items_variance_scale(average.share, difference)
        reach, spread = items * _two_sided_t(level, average.items[1]) ** 2 if items else 0.0, math.sqrt(true + items)
        times = [_normal_share_below((difference - math.sqrt(each + reach)) / spread) for each in seeds]
        return math.fsum(times) / len(times) - FOUND

    return lacking


def _items_variance_scale(share: float | None, difference: float) -> float:
    """Of the two scores one stays, and the other's answers vary as those of a score do that lies on the side of one half."""
    if share is None or not 0 < share < 1:
        return 1.0
    other = share + difference if share < 0.5 else share - difference
    return (1 + other * (1 - other) / (share * (1 - share))) / 2


def _normal_share_below(z: float) -> float:
    """The share of a normal distribution below z."""
    return math.erfc(-z / math.sqrt(2)) / 2


@cache
def _two_sided_t(level: float, freedom: float) -> float:
    from scipy.stats import t

    return float(t.isf(level / 2, freedom))


@cache
def _chi2_quantile_ratios(freedom: float) -> list[float]:
    """What an estimated variance may be, as a multiple of the true one."""
    from scipy.stats import chi2

    # The middles of equal shares: the outermost quantiles would be nothing and without an end.
    return [float(chi2.isf((number + 0.5) / QUANTILES, freedom)) / freedom for number in range(QUANTILES)]

"""Numbers with one item, or one whole cluster of items, left out at a time, and the intervals that follow: in plain loops.

Formulas: docs/method/scores.md. A number's variance over items is the jackknife's, (G - 1) / G times the sum of squared
distances of the G numbers from their mean (Efron & Stein 1981); over seeds it is the usual one. The half width h of an interval
is the root of t(nu)^2 v + t(g)^2 c (MOVER).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import pandas as pd

from reports.audit.counting import COUNTED, Bounded, CountedMetric, Terms

REST = 1e-12
"""Of two variances, which rounding may leave of their difference."""
FEWEST_CLUSTERS = 8
"""Effective clusters below which items are left out one by one."""


@dataclass(frozen=True)
class LeftOut:
    """A number of one run, and the same number without each cluster of items in turn."""

    value: float
    without: Sequence[float]
    freedom: float
    """Effective clusters (without clusters: items) less one; of a ranking, at most the smaller class less one."""
    bounded: Bounded = "number"
    items: int = 0
    """Of a mean of shares."""
    turned: float = 0.0
    """Of a difference of two such: what one more answer would move it by."""

    def minus(self, other: "LeftOut", sign: float = 1.0, trained: bool = True) -> "LeftOut":
        """`sign` times the difference, with both numbers' clusters left out together. Where there was training in between, one
        more answer may have turned."""
        without = [sign * (one - two) for one, two in zip(self.without, other.without, strict=True)]
        rise = sign * (self.value - other.value)
        all_alike = rise != 0 and all(abs(each - rise) <= REST for each in without)
        turned = 1 / self.items if self.bounded == "mean of shares" and self.items > 1 and trained and not all_alike else 0.0
        return LeftOut(rise, without, min(self.freedom, other.freedom), turned=turned)

    @cached_property
    def distances(self) -> list[float]:
        """Distances of the numbers from their mean, scaled so that their squares add up to the variance."""
        count, mean = len(self.without), math.fsum(self.without) / len(self.without)
        return [*((each - mean) * math.sqrt((count - 1) / count) for each in self.without), self.turned]


@dataclass(frozen=True)
class SeedVariance:
    """Of a number over the seeds of a table's rows, pooled, with its degrees of freedom."""

    variance: float = 0.0
    freedom: int = 0


def clusters_of_items(items: pd.DataFrame) -> list[Hashable]:
    """Each item's cluster."""
    if "cluster" not in items:
        return list(range(len(items)))
    # An item without a cluster is one of its own, by its place, which is no text and so meets no label.
    return [
        str(label) if isinstance(label, str) or not pd.isna(label) else place for place, label in enumerate(items["cluster"])
    ]


def groups_of(items: pd.DataFrame) -> list[Hashable]:
    """What is left out together."""
    labels = clusters_of_items(items)
    return list(range(len(items))) if _effective_number(Counter(labels).values()) < FEWEST_CLUSTERS else labels


def _effective_number(weights: Collection[float]) -> float:
    """So many equal weights would say as much (Kish 1965)."""
    return math.fsum(weights) ** 2 / math.fsum(weight**2 for weight in weights)


def _freedom_by_weights(groups: Sequence[Hashable], weights: Sequence[float]) -> float:
    """Of the items' weights, or of equal ones where none has any; at least one of two groups, however unlike they are."""
    summed: defaultdict[Hashable, float] = defaultdict(float)
    for group, weight in zip(groups, weights if any(weights) else [1.0] * len(groups), strict=True):
        summed[group] += weight
    return max(_effective_number(summed.values()) - 1, min(1.0, len(summed) - 1.0))


def of_metric(items: pd.DataFrame, name: str, said: Sequence[str], gold: Sequence[str]) -> LeftOut | None:
    """A task's metric of answers; None for one that is made of no sums."""
    metric = COUNTED.get(name)
    return None if metric is None else of_sums(items, metric, list(map(metric.terms, said, gold)))


def of_mean(items: pd.DataFrame, values: Sequence[float], weights: Sequence[float], bounded: Bounded) -> LeftOut:
    """A weighted mean."""
    metric = CountedMetric(
        lambda *_: {},
        lambda sums: sums["sum"] / sums["weight"] if sums["weight"] else 0.0,
        bounded,
        lambda terms, _: terms["weight"],
    )
    return of_sums(items, metric, [{"sum": v * w, "weight": w} for v, w in zip(values, weights, strict=True)])


def of_sums(items: pd.DataFrame, metric: CountedMetric, terms: Sequence[Terms]) -> LeftOut:
    groups = groups_of(items)
    # A plain sum over what is left would take a pass over all items for each of them.
    totals: defaultdict[Hashable, float] = defaultdict(float)
    parts: dict[Hashable, defaultdict[Hashable, float]] = {}
    for group, counts in zip(groups, terms, strict=True):
        part = parts.setdefault(group, defaultdict(float))
        for key, count in counts.items():
            part[key] += count
            totals[key] += count
    without = [metric.number({key: total - part[key] for key, total in totals.items()}) for part in parts.values()]
    freedom = _freedom_by_weights(groups, [metric.weight(counts, totals) for counts in terms])
    return LeftOut(metric.number(totals), without, freedom, metric.bounded, len(terms))


def of_score(items: pd.DataFrame, score: Callable[[list[int]], float]) -> LeftOut:
    """A number that is made of no sums, from the places of the items that are left."""
    groups = groups_of(items)
    everything = list(range(len(items)))
    without = [score([place for place in everything if groups[place] != group]) for group in dict.fromkeys(groups)]
    return LeftOut(score(everything), without, _freedom_by_weights(groups, [1.0] * len(groups)))


def of_ranking(items: pd.DataFrame, values: Sequence[float], gold: Sequence[float]) -> LeftOut | None:
    """ROC AUC, with DeLong's placements (DeLong et al. 1988; clusters: Obuchowski 1997) for numbers with a cluster left out.

    None without two clusters of each class, of which nothing is known.
    """
    groups = groups_of(items)
    sides = [[place for place, label in enumerate(gold) if (label == 1) is positive] for positive in (True, False)]
    places = {place: _placement(values, place, sides[side], bool(side)) for side in (1, 0) for place in sides[1 - side]}
    auc = math.fsum(places[place] for place in sides[0]) / len(sides[0]) if sides[0] and sides[1] else 0.5
    shifts: defaultdict[Hashable, float] = defaultdict(float)
    for side in sides:
        holding = len({groups[place] for place in side})
        if holding < 2:
            return None
        for place in side:
            shifts[groups[place]] += (places[place] - auc) / len(side) * math.sqrt(holding / (holding - 1))
    # A class' items share out what its mean varies by, which is the more the fewer they are.
    weights = [1 / len(sides[label != 1]) ** 2 for label in gold]
    freedom = min(_freedom_by_weights(groups, weights), min(map(len, sides)) - 1.0)
    return LeftOut(auc, _numbers_at_distances(list(shifts.values())), freedom)


def _placement(values: Sequence[float], place: int, others: Sequence[int], positive: bool) -> float:
    """The share of the other class that an item is on the right side of; an equal one counts half."""
    sign = 1 if positive else -1
    beaten = sum((sign * values[place] > sign * values[other]) + (values[place] == values[other]) / 2 for other in others)
    return beaten / len(others) if others else 0.0


def _numbers_at_distances(shifts: list[float]) -> list[float]:
    """Numbers whose `distances` are these shifts, which are centred: the two classes' placements add up to nothing."""
    # `distances` multiplies by this root, as it does for numbers that are left out one by one.
    scale = math.sqrt((len(shifts) - 1) / len(shifts))
    return [shift / scale for shift in shifts]


def bounds(runs: Sequence[LeftOut], seeds: SeedVariance | None = None) -> tuple[float, float]:
    """The 95 % interval of the mean over runs, one per seed, of a number of the same items."""
    by_seeds, by_items = seeds_part(runs, seeds or SeedVariance()), items_variance(runs)
    if not by_seeds.variance and not by_items:
        by_items = means_variance(runs)
    freedom = least_freedom(runs)
    half = math.hypot(_seeds_half_width(by_seeds), math.sqrt(by_items) * _t_quantile(freedom) if by_items else 0.0)
    return _bounds_in_range(mean_of(runs), half, replace(runs[0], freedom=freedom))


def least_freedom(runs: Sequence[LeftOut]) -> float:
    """Degrees of freedom over items of the mean of a row's runs: those of the run that has least."""
    return min(run.freedom for run in runs)


def bounds_of_bounds(runs: Sequence[LeftOut], seeds: SeedVariance) -> tuple[float, float]:
    """The same where the mean distances of the runs' own bounds stand for the part over items."""
    mean, by_seeds = mean_of(runs), _seeds_half_width(seeds_part(runs, seeds))
    low, high = (math.fsum(ends) / len(runs) for ends in zip(*(bounds([run]) for run in runs), strict=True))
    low, high = mean - math.hypot(by_seeds, mean - low), mean + math.hypot(by_seeds, high - mean)
    most = {"number": math.inf, "percent": 100.0}.get(runs[0].bounded, 1.0)
    return (low, high) if most == math.inf else (max(low, 0.0), min(high, most))


def bounds_over_seeds(values: Sequence[float], seeds: SeedVariance, bounded: Bounded) -> tuple[float, float]:
    """The 95 % interval of the mean of one row's numbers, one per seed, over other seeds on the same items."""
    # There are no items in it, and none to leave out.
    runs = [LeftOut(value, [], math.inf, bounded) for value in values]
    return _bounds_in_range(mean_of(runs), _seeds_half_width(seeds_part(runs, seeds)), runs[0])


def mean_of(runs: Sequence[LeftOut]) -> float:
    return math.fsum(run.value for run in runs) / len(runs)


def own_variance(runs: Sequence[LeftOut]) -> float:
    """Over a row's own seeds, of one of them."""
    return variance_of([run.value for run in runs])


def variance_of(values: Sequence[float]) -> float:
    """Of numbers, one per seed; exactly nothing where they are equal, whatever rounding makes of their mean."""
    if len(set(values)) < 2:
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def seeds_part(runs: Sequence[LeftOut], seeds: SeedVariance) -> SeedVariance:
    """Over seeds, of the mean: the table's variance, or the row's own if that is larger."""
    return SeedVariance(max(own_variance(runs), seeds.variance) / len(runs), max(seeds.freedom, len(runs) - 1))


def _seeds_half_width(part: SeedVariance) -> float:
    """Of an interval."""
    return math.sqrt(part.variance) * _t_quantile(part.freedom) if part.variance else 0.0


def items_variance(runs: Sequence[LeftOut]) -> float:
    """Over items, of the mean: one run's own, else the mean covariance of two runs, and never below 0."""
    if len(runs) == 1:
        return covariance(runs, runs)
    # Two runs' own chance is not common to them, and their products leave it out.
    pairs = [covariance([one], [other]) for place, one in enumerate(runs) for other in runs[place + 1 :]]
    return beyond_rest(math.fsum(pairs) / len(pairs), math.fsum(covariance([run], [run]) for run in runs) / len(runs))


def own_answers_variance(runs: Sequence[LeftOut]) -> float:
    """Over items, of one run, less what all runs have in common."""
    return math.fsum(covariance([run], [run]) for run in runs) / len(runs) - items_variance(runs)


def beyond_rest(difference: float, of: float) -> float:
    """A difference of variances; nothing where it is negative, or no more than rounding leaves."""
    return difference if difference > REST * of else 0.0


def covariance(mine: Sequence[LeftOut], theirs: Sequence[LeftOut]) -> float:
    """Over items, of two means: that of a run of one row and a run of the other, on average."""
    products = [
        math.fsum(a * b for a, b in zip(one.distances, other.distances, strict=True)) for one in mine for other in theirs
    ]
    return math.fsum(products) / len(products)


def means_variance(mine: Sequence[LeftOut], theirs: Sequence[LeftOut] = ()) -> float:
    """Over items, of these models' own mean, or of its difference from another row's: what moves equal scores of runs that err
    on different items."""
    one, other = (
        [math.fsum(each) / len(runs) for each in zip(*(run.distances for run in runs), strict=True)] for runs in (mine, theirs)
    )
    apart = math.fsum((a - b) ** 2 for a, b in zip(one, other or [0.0] * len(one), strict=True))
    return beyond_rest(apart, math.fsum(a**2 for a in (*one, *other)))


def _bounds_in_range(mean: float, half: float, run: LeftOut) -> tuple[float, float]:
    """The bounds, kept in [0, 1] where the number is: Wilson's for a mean of shares, the logit's for another share."""
    if run.bounded == "number":
        return mean - half, mean + half
    if run.bounded == "percent":
        low, high = _bounds_in_range(mean / 100, half / 100, replace(run, bounded="share"))
        return 100 * low, 100 * high
    inner = mean * (1 - mean)
    # No item moves a score of 0 or 1: the bound is Wilson's for so many items.
    if inner <= 0:
        z = _z_quantile()
        half = math.hypot(half, z**2 / (run.freedom + 1 + z**2))
        low, high = mean - half, mean + half
    elif run.bounded == "mean of shares":
        rate = half**2 / inner
        middle, reach = mean + rate / 2, math.sqrt(half**2 + rate**2 / 4)
        low, high = (middle - reach) / (1 + rate), (middle + reach) / (1 + rate)
    else:
        low, high = (1 / (1 + (1 - mean) / mean * math.exp(-sign * half / inner)) for sign in (-1, 1))
    return min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)


@cache
def _t_quantile(freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))


@cache
def _z_quantile() -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.975))

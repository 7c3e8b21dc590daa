"""The mean over a row's seeds with its 95 % interval, which always says what it holds.

One run: new items, or whole new clusters of them. Several seeds: these and other seeds, by variance components (intervals.py).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Literal

import numpy as np

from bench.statistics.intervals import CONFIDENCE, NO_SPREAD, Margin, Scale, Spread, Z, limits, of_row, pooled
from bench.statistics.jackknife import Jackknifed
from bench.statistics.variances import over_seeds

Bounds = tuple[float, float]
Basis = Literal["items", "items and seeds", "bounds", "seeds"]
"""What an interval holds; `bounds`: items and seeds, the items' part from the runs' own bounds, for want of their answers."""


Verdict = Literal["loss", "gain", "none"]


def verdict(low: float | None, high: float | None) -> Verdict | None:
    """What the interval of a loss says: a loss or a gain only where it leaves zero out; None where there is no interval."""
    if low is None or high is None:
        return None
    return "loss" if low > 0 else "gain" if high < 0 else "none"


@dataclass(frozen=True)
class Estimate:
    """A mean over runs, the bounds of its interval where they are known, and what the interval holds."""

    value: float
    low: float | None
    high: float | None
    basis: Basis
    runs: int
    seed_sd: float | None = None
    """Standard deviation of the runs' numbers; None where there is one run."""
    p: float | None = None
    """Of a difference: how surprising it is if the truth is 0; corrected where several are looked at together."""
    clusters: float | None = None
    """The effective number of clusters of the items, by what the number rests on; None where each is by itself."""
    few_clusters: bool = False
    """Whether there are too few clusters by their items: the interval holds new items of these clusters, and nothing is claimed
    of new clusters."""
    answered: Jackknifed | None = field(default=None, repr=False, compare=False)
    """The answers that the interval is made of, by which it is held against other rows'; None where it is made of bounds."""
    spread: Spread = field(default=NO_SPREAD, repr=False, compare=False)
    """The seed variance of the row's table."""
    scale: Scale = field(default="plain", repr=False, compare=False)
    items: Bounds | None = field(default=None, repr=False, compare=False)
    """The runs' own bounds, on average, where the interval is made of them."""

    def in_table_of(self, spread: Spread) -> "Estimate":
        """The same runs in a table of another seed variance."""
        if self.answered is not None:
            low, high = limits(self.value, of_row(self.answered, spread), self.scale)
            return replace(self, low=float(low), high=float(high), spread=spread)
        if self.items is None:
            return replace(self, spread=spread)
        return _of_bounds(self.value, self.seed_sd, self.runs, self.items, spread, self.scale)

    def __mul__(self, factor: float) -> "Estimate":
        """So many times the number, with all that is known of it; of a difference alone, whose scale is plain."""
        # A negative factor turns the interval around.
        ends = sorted(end * factor for end in (self.low, self.high) if end is not None)
        low, high = ends if len(ends) == 2 else (None, None)
        return replace(
            self,
            value=self.value * factor,
            low=low,
            high=high,
            seed_sd=None if self.seed_sd is None else self.seed_sd * abs(factor),
            answered=self.answered and self.answered * factor,
            spread=Spread(self.spread.variance * factor**2, self.spread.freedom),
            items=None if self.items is None else (min(scaled := [end * factor for end in self.items]), max(scaled)),
        )

    @property
    def significant(self) -> bool:
        """Whether it differs from zero by more than chance."""
        if self.p is not None:
            return self.p <= 1 - CONFIDENCE
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    @property
    def verdict(self) -> Verdict | None:
        """What is said of a loss; None where there is no interval."""
        if self.low is None or self.high is None:
            return None
        return ("loss" if self.value > 0 else "gain") if self.significant else "none"


def estimate(
    values: Sequence[float],
    known: Sequence[Bounds | None],
    answered: Jackknifed | None = None,
    spread: Spread = NO_SPREAD,
    scale: Scale = "plain",
) -> Estimate:
    """One number of a row from its runs' numbers, their own bounds, and their answers if these are known and make the numbers.

    `spread` is the seed variance of the row's table. Without answers, the mean of the runs' own bounds says how far items move
    the number, which is rather too far: bounds of one run hold what is its own on these items.
    """
    runs, mean = len(values), float(np.mean(values))
    sd = float(np.std(values, ddof=1)) if runs > 1 else None
    seeded = runs > 1 or spread.freedom > 0
    # Answers that do not give the record's numbers are not what its numbers were made of.
    if answered is not None and np.allclose(answered.values, values, rtol=1e-6, atol=1e-6):
        margin = of_row(answered, spread)
        low, high = limits(mean, margin, scale)
        # An AUC with a single item of a class has no variance over items, and its shifts are NaN.
        if np.isfinite([low, high]).all():
            effective, few = _effective_clusters(answered), answered.clusters.few
            basis: Basis = "items and seeds" if seeded else "items"
            p = _p_of_difference(mean, margin, scale)
            return Estimate(mean, float(low), float(high), basis, runs, sd, p, effective, few, answered, spread, scale)
    pairs = [pair for pair in known if pair is not None]
    # Bounds of some runs would pass for those of all.
    if len(pairs) < runs:
        return Estimate(mean, None, None, "bounds" if seeded else "items", runs, sd, spread=spread)
    low, high = np.mean(pairs, axis=0)
    return _of_bounds(mean, sd, runs, (float(low), float(high)), spread, scale)


BETWEEN_0_AND_1: Collection[Scale] = ("wilson", "graded", "logit")
"""Of numbers that vary the less the nearer they are to an end: shares of right answers do by p(1 - p), F1 and AUC nearly so."""


def share_of_rows(estimates: Sequence[Estimate]) -> float | None:
    """The rows' mean score where it is known how its answers vary at another score: of numbers between 0 and 1."""
    return fmean(each.value for each in estimates) if all(each.scale in BETWEEN_0_AND_1 for each in estimates) else None


MANY = 1e6
"""Degrees of freedom of bounds that were taken from a record."""
HIGHEST: dict[Scale, float] = {"wilson": 1.0, "graded": 1.0, "logit": 1.0, "percent": 100.0}
"""What a number may come to at most; the least is 0."""


def margin_over_seeds(values: Sequence[float], table: Sequence[Sequence[float]]) -> Margin | None:
    """Of the mean of one row's numbers, one per seed, of which no items are known: it holds other seeds alone.

    The seed variance is the table's, or the row's own if that is larger. None where no row of the table has two seeds.
    """
    return _margin_of_seeds(values, pooled(table))


def over_seeds_alone(values: Sequence[float], spread: Spread, scale: Scale = "plain") -> Estimate:
    """The mean of a row's numbers, one per seed, whose interval holds other seeds on these items.

    `spread` is the seed variance of the row's table; there is no interval where no row of it has two seeds.
    """
    mean, margin = fmean(values), _margin_of_seeds(values, spread)
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    low, high = map(float, limits(mean, margin, scale)) if margin else (None, None)
    p = _p_of_difference(mean, margin, scale) if margin else None
    return Estimate(mean, low, high, "seeds", len(values), sd, p, spread=spread, scale=scale)


def _margin_of_seeds(values: Sequence[float], spread: Spread) -> Margin | None:
    freedom = max(spread.freedom, len(values) - 1)
    if not freedom:
        return None
    own = float(over_seeds(np.asarray(values))) if len(values) > 1 else 0.0
    return Margin(max(own, float(spread.variance)) / len(values), freedom, 0.0, MANY)


def _of_bounds(mean: float, sd: float | None, runs: int, items: Bounds, spread: Spread, scale: Scale) -> Estimate:
    """Of the mean of the runs' own bounds, and the seeds' variance."""
    own = sd**2 if sd is not None else 0.0
    variance, freedom = max(own, float(spread.variance)) / runs, max(spread.freedom, runs - 1)
    below, above = (_half_interval(variance, freedom, abs(mean - end)) for end in items)
    # The bound on the side of zero counts: bounds that others have made need not be as wide on either side.
    p = _p_of_difference(mean, Margin(variance, freedom, (abs(mean - items[0 if mean > 0 else 1]) / Z) ** 2, MANY), scale)
    low, high = mean - below, mean + above
    if scale != "plain":
        low, high = max(low, 0.0), min(high, HIGHEST[scale])
    basis: Basis = "bounds" if runs > 1 or spread.freedom > 0 else "items"
    return Estimate(mean, low, high, basis, runs, sd, p, spread=spread, scale=scale, items=items)


def _half_interval(variance: float, freedom: float, items: float) -> float:
    """Half an interval over seeds and items together, of which the items' half is known."""
    return float(np.hypot(Margin(variance, freedom, 0.0, MANY).half_width(), items))


def _p_of_difference(mean: float, margin: Margin, scale: Scale) -> float | None:
    """Of a difference: a score in [0, 1] is held against no zero."""
    return float(margin.p(mean)) if scale == "plain" else None


def _effective_clusters(answered: Jackknifed) -> float | None:
    clusters = answered.clusters
    # Too few are told by their items, since these are what is left out then.
    if clusters.single:
        return clusters.effective if clusters.few else None
    return float(answered.freedom) + 1

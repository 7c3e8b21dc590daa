"""Intervals of a number that varies over seeds and over items, from its two variances (MOVER).

A score of a mean over S seeds has the variance v over seeds, known with nu degrees of freedom, and c over items, known with g.
Its interval is m - h to m + h with h^2 = t(nu)^2 v + t(g)^2 c: each part is as wide as its own interval, and independent parts
add in squares (Graybill & Wang 1980; Zou & Donner 2008). The parts are those of Obuchowski & Rockette 1995 for several readers
of the same cases, with seeds as readers, and with Hillis 2014's covariance over cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.special import expit, ndtri, stdtrit

from bench.statistics.arrays import Floats
from bench.statistics.jackknife import Jackknifed
from bench.statistics.variances import ROUNDING, beyond_rounding, over_seeds

CONFIDENCE = 0.95
# scipy.stats has such quantiles too, and takes half a second to import.
Z = float(ndtri((1 + CONFIDENCE) / 2))
"""How many standard deviations of a normal number its 95 % interval reaches to either side."""
FEW_SEEDS = 4
"""With so many seeds or fewer, two rows are compared with the seed variance of the whole table."""

Scale = Literal["wilson", "graded", "logit", "percent", "plain"]
"""How bounds are kept inside: of a share of right answers, of another mean of values in [0, 1], of another number in [0, 1] or
in [0, 100], and of an unbounded one. The first two have the same bounds; of the first alone it is known how it varies at
another score."""


@dataclass(frozen=True)
class Spread:
    """The variance between seeds, pooled over a table's rows, with its degrees of freedom; 0 where no row has two seeds."""

    variance: float | Floats = 0.0
    freedom: int = 0


NO_SPREAD = Spread()


def pooled(rows: Sequence[Sequence[float]]) -> Spread:
    """The mean variance within rows of scores, one per seed; a row weighs by its seeds minus one, and one seed says nothing.

    The rows' true standard deviations are taken as alike.
    """
    parts = [(float(over_seeds(np.asarray(row))), len(row) - 1) for row in rows if len(row) > 1]
    freedom = sum(weight for _, weight in parts)
    return Spread(sum(variance * weight for variance, weight in parts) / freedom, freedom) if freedom else NO_SPREAD


@dataclass(frozen=True)
class Margin:
    """The variances of a number over seeds and over items, with their degrees of freedom. Numbers may be arrays."""

    seeds: float | Floats
    seed_freedom: float | Floats
    items: float | Floats
    item_freedom: float | Floats
    other_seeds: float | Floats = 0.0
    """Of a difference: the other row's variance over seeds, where its seeds do something else than the first's."""
    other_freedom: float | Floats = 0
    own: float | Floats = 0.0
    """What the seeds' own answers to these items are known to make of the variances over seeds: more items leave less."""

    def divided(self, by: float) -> "Margin":
        """That of the number divided by `by`."""
        seeds, items, others, own = (variance / by**2 for variance in (self.seeds, self.items, self.other_seeds, self.own))
        return replace(self, seeds=seeds, items=items, other_seeds=others, own=own)

    def on_endless_items(self) -> "Margin":
        """With what seeds alone leave of it, on whatever items."""
        seeded = self.seeds + self.other_seeds
        left = np.maximum(1 - self.own / np.where(seeded, seeded, 1.0), 0.0)
        return replace(self, seeds=self.seeds * left, items=0.0, other_seeds=self.other_seeds * left, own=0.0)

    @cached_property
    def _varying(self) -> list[tuple[float | Floats, float | Floats]]:
        """The variances that there are, each with its degrees of freedom: p asks for them at fifty levels."""
        parts = (
            (self.seeds, self.seed_freedom),
            (self.items, self.item_freedom),
            (self.other_seeds, self.other_freedom),
        )
        # A part of no variance has no freedom either, and a quantile that is not finite.
        return [
            (variance, freedom if np.all(variance) else np.where(np.equal(variance, 0), 1.0, freedom))
            for variance, freedom in parts
            if np.any(variance)
        ]

    def half_width(self, level: float | Floats = 1 - CONFIDENCE) -> Floats:
        """h at an error of `level`, both sides together."""
        squares = [variance * student_quantile(level, freedom) ** 2 for variance, freedom in self._varying]
        return np.sqrt(np.asarray(sum(squares), dtype=np.float64))

    def p(self, difference: float | Floats) -> Floats:
        """The level at which the half width is the difference: how surprising it is if the truth is 0. Never below 1e-16.

        Where all n items change alike nothing is known of how they vary, and it is not below 2^(1 - n): what the exact test,
        which turns each item's sign, has at least.
        """
        # Levels are searched as powers of ten: the smallest p's differ by orders of magnitude.
        low, high = np.full(np.shape(difference), -16.0), np.zeros(np.shape(difference))
        # Fifty halvings leave nothing of sixteen powers of ten that a float could tell.
        for _ in range(50):
            middle = (low + high) / 2
            wider = self.half_width(10.0**middle) > np.abs(difference)
            low, high = np.where(wider, middle, low), np.where(wider, high, middle)
        exact = np.where(np.equal(self.items, 0), np.exp2(-np.asarray(self.item_freedom, dtype=np.float64)), 0.0)
        return np.where(np.equal(difference, 0), 1.0, np.maximum(10.0**high, exact))


def rise_over(after: Jackknifed, before: Jackknifed, scale: Scale, trained: bool = True) -> Jackknifed:
    """How far a model's score is above another's on the same items, seed by seed, where both are on this scale.

    Of shares the variance over items is 1 / n^2 larger, which is what one more answer that turned makes (Agresti & Min 2005 add
    two halves). Else a number of which no answer of n turned would have an interval of no width, though one in n may on others.
    Where all turned alike it stays nothing, for which p has a bound of its own; and where no training lies between the two.
    """
    difference, items = after - before, len(after.clusters.codes)
    # Of a single item nothing is known of others.
    if scale not in ("wilson", "graded") or items < 2:
        return difference
    alike = (np.abs(difference.shifts) <= ROUNDING).all(-1) & (difference.values != 0)
    # As the shift of one item more, which is the same for all seeds, as items are. Without training it is one of nothing, so
    # that such rows have as many shifts as others.
    turned = np.where(alike, 0.0, float(trained) / items)
    return replace(difference, shifts=np.concatenate([difference.shifts, turned[..., None]], axis=-1))


def of_row(row: Jackknifed, spread: Spread = NO_SPREAD) -> Margin:
    """The margin of a row's mean over seeds, of a score or of a gain over one untouched model on the same items.

    The seed variance is the table's, or the row's own if that is larger. One seed in a table that knows no seed variance holds
    items alone: the interval is for this trained model.
    """
    seeds = row.values.shape[-1]
    own = over_seeds(row.values) if seeds > 1 else 0.0
    variance = np.maximum(own, spread.variance) / seeds
    return Margin(
        variance, max(spread.freedom, seeds - 1), _items_variance_or_own(row.items_variance, variance, row), row.freedom
    )


def of_pair(one: Jackknifed, other: Jackknifed, spread: Spread, others: Spread | None = None) -> Margin:
    """The margin of the difference between two rows of a table, each trained anew for each seed.

    A row's seed variance is the table's up to FEW_SEEDS seeds, and its own above that. Two rows of the same kind share one
    estimate of it. `others` is the other row's spread where its seeds do something else (choose solved examples), or nothing:
    then each row's is a part of its own, with its own degrees of freedom. So it is of rows with unlike numbers of more seeds:
    50 seeds of one do not make known how the other's 5 vary.
    """
    # Each part is a mean of covariances between seeds, which chance can bring below what the pair's own needs.
    apart = one.items_variance + other.items_variance
    items = beyond_rounding(apart - 2 * one.items_covariance(other), apart)
    item_freedom = np.minimum(one.freedom, other.freedom)
    counts = [row.values.shape[-1] for row in (one, other)]
    own = one.own_variance / counts[0] + other.own_variance / counts[1]
    unlike = others is not None and not _same_spread(spread, others)
    if unlike or (min(counts) > FEW_SEEDS and counts[0] != counts[1]):
        parts = [_own_part(one, spread), _own_part(other, spread if others is None else others)]
        # A table averages its pairs part by part: what more seeds tell stands in the first part of each.
        first, second = parts if unlike else sorted(parts, key=lambda part: -part.freedom)
        items = _items_variance_or_own(items, first.variance + second.variance, one, other)
        return Margin(first.variance, first.freedom, items, item_freedom, second.variance, second.freedom, own)
    if min(counts) > FEW_SEEDS:
        # With more seeds a row's own variance is known well enough that another row's need not stand for it.
        variance = sum(over_seeds(row.values) / count for row, count in zip((one, other), counts, strict=True))
        return Margin(variance, sum(counts) - 2, _items_variance_or_own(items, variance, one, other), item_freedom, own=own)
    variance = sum(spread.variance / count for count in counts)
    return Margin(variance, spread.freedom, _items_variance_or_own(items, variance, one, other), item_freedom, own=own)


def _items_variance_or_own(items: Floats, seeds: float | Floats, row: Jackknifed, other: Jackknifed | None = None) -> Floats:
    """The variance over items, or of these trained models' means over their seeds where there would be none at all.

    Both parts of it are estimates. By chance two seeds that err on different items have equal scores and no error in common,
    which leaves neither: but items do move such a number.
    """
    certain = np.equal(items, 0) & np.equal(seeds, 0)
    return np.where(certain, row.mean_variance(other), items) if np.any(certain) else items


def _same_spread(one: Spread, other: Spread) -> bool:
    # Estimates bring their table's spread without the name of its kind; two kinds that vary do not agree to the last digit.
    return one.freedom == other.freedom and np.array_equal(one.variance, other.variance)


def _own_part(row: Jackknifed, spread: Spread) -> Spread:
    """What a row's seeds add to the variance of its mean, beside a row whose seeds are another part."""
    seeds = row.values.shape[-1]
    if seeds > FEW_SEEDS:
        spread = Spread(over_seeds(row.values), seeds - 1)
    return replace(spread, variance=spread.variance / seeds)


def limits(value: float | Floats, margin: Margin, scale: Scale = "plain") -> tuple[Floats, Floats]:
    """The 95 % interval of a number. At 0 and 1, where no item varies, its bound is that of Wilson for so many items."""
    value, half = np.asarray(value, dtype=np.float64), margin.half_width()
    if scale == "plain":
        return value - half, value + half
    # BLEU and chrF of few poor texts would otherwise have a bound below 0.
    if scale == "percent":
        low, high = limits(value / 100, margin.divided(100), "logit")
        return low * 100, high * 100
    inner = value * (1 - value)
    # At 0 and 1 these bounds divide by nothing; they are replaced below.
    safe = np.where(inner > 0, inner, 1.0)
    if scale in ("wilson", "graded"):
        low, high = wilson_bounds(value, half, half**2 / safe)
    else:
        odds = np.log(np.where(inner > 0, value, 0.5) / np.where(inner > 0, 1 - value, 0.5))
        low, high = (expit(odds + sign * half / safe) for sign in (-1, 1))
    edge = np.sqrt(half**2 + (Z**2 / (margin.item_freedom + 1 + Z**2)) ** 2)
    low, high = np.where(inner > 0, low, value - edge), np.where(inner > 0, high, value + edge)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def wilson_bounds(share: float | Floats, half: float | Floats, rate: float | Floats) -> tuple[Floats, Floats]:
    """Wilson's bounds of a share of n items (1927), with rate = z^2 / n and half^2 = rate share (1 - share)."""
    centre, reach = (share + rate / 2) / (1 + rate), np.sqrt(half**2 + rate**2 / 4) / (1 + rate)
    return centre - reach, centre + reach


def of_one_model(score: Jackknifed, scale: Scale = "plain") -> tuple[float, float]:
    """The 95 % interval, over items or whole clusters alone, of one trained model's score, or of its difference from another
    model's on the same items (`after - before`, on the plain scale)."""
    low, high = limits(score.values[..., 0], of_row(score), scale)
    return float(low), float(high)


def student_quantile(level: float | Floats, freedom: float | Floats) -> Floats:
    """t(1 - level / 2), with so many degrees of freedom."""
    return -stdtrit(freedom, np.asarray(level) / 2)

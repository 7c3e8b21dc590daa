"""The mean over a row's seeds with its 95 % interval, which always says what it holds.

One run: the record's own interval, over items. Several seeds: a two-level bootstrap that resamples seeds and items.
Seeds answer the same items, so a resample takes the same items from each of its seeds (Owen 2007, the pigeonhole bootstrap);
drawing them anew for each seed would average the items' difficulty away and give intervals that are too narrow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.statistics.bootstrap import RESAMPLES, Floats, bounds, totals

Bounds = tuple[float, float]
Counts = tuple[Floats, Callable[[Floats], Floats]]
"""Counts per seed and item, (seeds, items, k), and what makes numbers, (...), of their sums, (..., k)."""
Basis = Literal["items", "items and seeds", "bounds"]
"""What an interval holds; `bounds` is the mean of the seeds' own bounds: items alone, for want of a better one."""


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

    @property
    def excludes_zero(self) -> bool:
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    @property
    def verdict(self) -> Verdict | None:
        """What the interval says of a loss; None where there is no interval."""
        return verdict(self.low, self.high)


def estimate(values: Sequence[float], known: Sequence[Bounds | None], counts: Counts | None = None) -> Estimate:
    """One number of a row from its runs' numbers, their own bounds, and their items' counts where they are known.

    Counts are used if their sums make the runs' numbers; a number that is not made of sums over items (AUC) keeps the bounds.
    """
    runs, mean = len(values), float(np.mean(values))
    if runs > 1 and counts is not None and np.allclose(counts[1](counts[0].sum(1)), values, rtol=1e-6, atol=1e-6):
        return Estimate(mean, *over_seeds_and_items(*counts), "items and seeds", runs)
    pairs = [pair for pair in known if pair is not None]
    basis: Basis = "bounds" if runs > 1 else "items"
    if len(pairs) < runs:
        return Estimate(mean, None, None, basis, runs)
    low, high = np.mean(pairs, axis=0)
    return Estimate(mean, float(low), float(high), basis, runs)


def over_seeds_and_items(counts: Floats, number: Callable[[Floats], Floats]) -> Bounds:
    """Two-level bootstrap of the mean over seeds of `number`, which is made of a seed's sums of `counts`, (seeds, items, k)."""
    seeds, items, width = counts.shape
    # Seeds side by side with the columns: items are drawn once, for all seeds.
    sums = totals(counts.transpose(1, 0, 2).reshape(items, seeds * width))
    numbers = number(sums.reshape(RESAMPLES, seeds, width))
    # Not seed 0, which draws the items.
    drawn = np.random.default_rng(1).integers(seeds, size=(RESAMPLES, seeds))
    return bounds(np.take_along_axis(numbers, drawn, axis=1).mean(1), items)

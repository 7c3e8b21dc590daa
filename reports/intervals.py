"""The mean over a row's seeds with its 95 % interval, which always says what it holds.

One run: the record's own interval, over items. Several seeds: a two-level bootstrap that resamples seeds and items.
Seeds answer the same items, so a resample takes the same items from each of its seeds (Owen 2007, the pigeonhole bootstrap);
drawing them anew for each seed would average the items' difficulty away and give intervals that are too narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.statistics import Indices, interval

Floats = npt.NDArray[np.float64]
Bounds = tuple[float, float]
Basis = Literal["items", "items and seeds", "bounds"]
"""What an interval holds; `bounds` is the mean of the seeds' own bounds: items alone, for want of a better one."""


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


def estimate(
    values: Sequence[float], bounds: Sequence[Bounds | None], items: Floats | None, weights: Floats | None = None
) -> Estimate:
    """One number of a row from its runs' numbers, their own bounds, and their items, (runs, items), where they are known.

    Items are used if their weighted means are the runs' numbers; a metric that is no mean over items (AUC) keeps the bounds.
    """
    runs, mean = len(values), float(np.mean(values))
    if runs > 1 and items is not None and np.allclose(np.average(items, axis=1, weights=weights), values, rtol=0, atol=1e-6):
        return Estimate(mean, *over_seeds_and_items(items, weights), "items and seeds", runs)
    known = [pair for pair in bounds if pair is not None]
    basis: Basis = "bounds" if runs > 1 else "items"
    if len(known) < runs:
        return Estimate(mean, None, None, basis, runs)
    low, high = np.mean(known, axis=0)
    return Estimate(mean, float(low), float(high), basis, runs)


def over_seeds_and_items(items: Floats, weights: Floats | None = None) -> Bounds:
    """Two-level bootstrap of the weighted mean of `items`, (seeds, items)."""
    seeds, count = items.shape
    weighting = np.ones(count) if weights is None else weights
    generator = np.random.default_rng(1)

    def mean(chosen: Indices) -> float:
        drawn = np.bincount(generator.integers(seeds, size=seeds), minlength=seeds) / seeds
        return float(np.average(drawn @ items[:, chosen], weights=weighting[chosen]))

    return interval(mean, count)


def statement(estimates: Sequence[Estimate]) -> str:
    """One sentence on what the intervals of these estimates hold and what they don't."""
    bases = {each.basis for each in estimates if each.low is not None}
    if not bases:
        return "No intervals: there are no scores with bounds."
    if bases == {"items"}:
        return "95 % intervals hold items alone: each row is one run, so the variation between seeds is not in them."
    parts = []
    if "items and seeds" in bases:
        parts.append("those of several seeds hold items and seeds (two-level bootstrap)")
    if "bounds" in bases:
        parts.append(
            "those marked † hold items alone: they are the mean of the seeds' own bounds, "
            "because the metric is no mean over items or the per-item answers are missing"
        )
    if "items" in bases:
        parts.append("those of a single run hold items alone")
    return f"95 % intervals: {'; '.join(parts)}."

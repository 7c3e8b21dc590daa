"""Numbers that are made of one value per item without an end, as losses in nats and similarities: what they come to on drawn
values, and on endless items."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from bench.statistics.arrays import Floats, Indices
from bench.statistics.intervals import Scale
from bench.statistics.jackknife import Clusters, Jackknifed, of_auc, of_counts

FAR_SHIFT = 6.0
"""Standard deviations of the differences between two classes by which neither reaches the other any more."""
SHIFTS = 61
"""Places at which the ROC AUC of endless items is worked out; between them a cubic that rises as they do is 1e-5 off."""


@dataclass(frozen=True)
class NumberOfValues(ABC):
    """Of one table's items."""

    base: Floats
    """(items,): the untouched model's values."""
    scale: ClassVar[Scale]
    at_once: ClassVar[float]
    """Numbers that one value takes; endless where tables are drawn one by one."""

    @property
    def ends(self) -> tuple[float, float]:
        """Between which the number lies."""
        return -np.inf, np.inf

    def on_one_scale(self, values: Floats) -> Floats:
        """Values, (..., items), of several runs such that they can be held against each other; the number stays as it was."""
        return values

    @property
    @abstractmethod
    def direction(self) -> Floats:
        """(items,): how far a shift by 1 moves each item's value."""

    @property
    @abstractmethod
    def groups(self) -> Sequence[Indices]:
        """Items whose common level does not say how far they differ among each other."""

    @abstractmethod
    def by_shift(self, places: Floats, spreads: Floats) -> Callable[[Floats], Floats]:
        """The number on endless items, by the shift: of values around places, (items,), with these standard deviations."""

    @abstractmethod
    def jackknifed(self, values: Floats, items: Indices, clusters: Clusters) -> Jackknifed:
        """Of values, (tables, rows, seeds, items), on each table's items, (tables, items)."""


@dataclass(frozen=True)
class WeightedMean(NumberOfValues):
    """A mean of values, or what `number` makes of the sums of weighted values and of weights, (..., 2), as perplexity."""

    weights: Floats
    """(items,)"""
    number: Callable[[Floats], Floats]
    least: float = -np.inf
    scale: ClassVar[Scale] = "plain"
    at_once: ClassVar[float] = 2

    @property
    def ends(self) -> tuple[float, float]:
        return self.least, np.inf

    @property
    def direction(self) -> Floats:
        return np.ones_like(self.base)

    @property
    def groups(self) -> Sequence[Indices]:
        return [np.arange(len(self.base))]

    def by_shift(self, places: Floats, spreads: Floats) -> Callable[[Floats], Floats]:
        mean = float(places @ self.weights / self.weights.sum())
        return lambda shifts: self.number(np.stack([mean + shifts, np.ones_like(shifts)], axis=-1))

    def jackknifed(self, values: Floats, items: Indices, clusters: Clusters) -> Jackknifed:
        weights = np.broadcast_to(self.weights[items][:, None, None], values.shape)
        return of_counts(np.stack([values * weights, weights], axis=-1), self.number, clusters, weights)


@dataclass(frozen=True)
class RankedPairs(NumberOfValues):
    """ROC AUC of values, which should be higher for some of the items."""

    positive: Indices
    """(items,) of 1 and 0, both of them."""
    scale: ClassVar[Scale] = "logit"
    at_once: ClassVar[float] = np.inf
    """Tables whose items are redrawn have unlike classes."""

    @property
    def ends(self) -> tuple[float, float]:
        return 0.0, 1.0

    def on_one_scale(self, values: Floats) -> Floats:
        """Normal scores: the order alone counts, and training may draw all similarities together or apart."""
        from scipy.stats import rankdata  # half a second that only rankings need

        scores: Floats = ndtri((rankdata(values, axis=-1) - 0.5) / values.shape[-1])
        return scores

    @property
    def direction(self) -> Floats:
        return np.where(self.positive == 1, 0.5, -0.5)

    @cached_property
    def groups(self) -> Sequence[Indices]:
        return [np.flatnonzero(self.positive == label) for label in (1, 0)]

    def by_shift(self, places: Floats, spreads: Floats) -> Callable[[Floats], Floats]:
        from scipy.interpolate import PchipInterpolator  # as above

        above, below = self.groups
        apart = np.subtract.outer(places[above], places[below])
        # Values without a spread are above or below, and a spread too small to see gives just that.
        width = np.maximum(np.hypot.outer(spreads[above], spreads[below]), 1e-9 * (1 + np.abs(apart).max()))
        far = FAR_SHIFT * float(np.sqrt(apart.var() + (width**2).mean()))
        grid = np.linspace(-far, far, SHIFTS) - apart.mean()
        between = PchipInterpolator(grid, [ndtr((apart + shift) / width).mean() for shift in grid])
        return lambda shifts: np.asarray(between(np.clip(shifts, grid[0], grid[-1])), dtype=np.float64)

    def jackknifed(self, values: Floats, items: Indices, clusters: Clusters) -> Jackknifed:
        (mine,) = items
        return of_auc(values, self.positive[mine] == 1, clusters)

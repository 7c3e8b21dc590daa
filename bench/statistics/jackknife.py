"""Scores, and how they shift when one item, or one whole cluster of items, is left out.

Seeds of a row, and rows of a table, answer the same items, so that their scores shift together. The shifts are scaled such that
the products of two scores' shifts, added up, are the jackknife's covariance of the two over new items (Efron & Stein 1981). For
ROC AUC they are DeLong's placements (DeLong et al. 1988), whole clusters of them as in Obuchowski 1997.

That variance is a sum of squares of unlike size, and so has fewer degrees of freedom than clusters (Satterthwaite 1946). Where
a cluster's part of it is expected to grow with a weight, such as its sentences' entities for F1, there are (sum of weights)^2 /
sum of squared weights - 1 of them: as many as that number of clusters of one weight would have (Kish 1965 on unlike weights).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.statistics.arrays import Floats, Indices
from bench.statistics.variances import beyond_rounding

ENOUGH_CLUSTERS = 8
"""Effective clusters below which nothing is claimed of new ones: rows' intervals cover too seldom there."""


@dataclass(frozen=True)
class Clusters:
    """Which items belong together: sentences of a film, questions on a text. Without any, each item is its own cluster."""

    codes: Indices
    """(items,): each item's cluster, 0 and up."""
    effective: float
    """(sum of sizes)^2 / sum of squared sizes: as many clusters of one size would say as much."""
    few: bool = False
    """There are clusters, but fewer than ENOUGH_CLUSTERS: items are left out one by one, and new items of the same clusters are
    all that is claimed."""
    items_hash: int | None = None
    """A hash of the items' names and of what they are, by which two rows are known to have answered the same ones; None where
    none is known."""

    @property
    def single(self) -> bool:
        """Whether items are left out one by one."""
        return self.few or int(self.codes.max(initial=-1)) + 1 == len(self.codes)


def clusters_of(labels: Iterable[Any] | None, items: int) -> Clusters:
    """Clusters by their labels, one per item; an item whose label is missing (None, NaN) is a cluster of its own."""
    alone = Clusters(np.arange(items), float(items))
    if labels is None:
        return alone
    # No label that a file can hold begins with a null character, so that none is taken for a missing one.
    keys = [str(label) if label is not None and label == label else f"\0{n}" for n, label in enumerate(labels)]
    _, codes, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    # Then nothing belongs together, and items are left out without the detour over clusters.
    if len(sizes) == items:
        return alone
    effective = float(effective_number(sizes.astype(np.float64)))
    return Clusters(codes.astype(np.int64), effective, few=effective < ENOUGH_CLUSTERS)


def effective_number(weights: Floats) -> Floats:
    """Of weights, (..., n), that are not all 0: so many of one weight, (...), would say as much (Kish 1965)."""
    return np.asarray(weights.sum(-1) ** 2 / (weights**2).sum(-1))


@dataclass(frozen=True)
class Jackknifed:
    """Scores of the seeds of one row on the same items; leading axes may stand for many such rows."""

    values: Floats
    """(..., seeds)"""
    shifts: Floats
    """(..., seeds, clusters): the scaled shift of each score where a cluster is left out."""
    freedom: float | Floats
    """(...): degrees of freedom of the variance over items: effective clusters, or items, minus 1, of the seed that has least;
    ROC AUC: at most the smaller class' items minus 1."""
    clusters: Clusters

    @cached_property
    def items_variance(self) -> Floats:
        """Variance, (...), of the mean over seeds by items alone: the mean of two seeds' covariances, never below 0; with one
        seed its own variance."""
        seeds = self.values.shape[-1]
        alone = (self.shifts**2).sum((-1, -2))
        if seeds == 1:
            return alone
        # The squared sum of all seeds' shifts, without each seed's own square, is twice the sum over pairs of seeds.
        together = (self._mean_shifts**2).sum(-1) * seeds**2
        pairs = seeds * (seeds - 1)
        return beyond_rounding((together - alone) / pairs, alone / pairs)

    @property
    def own_variance(self) -> Floats:
        """Variance, (...), over items of one seed's score, less what all seeds of the row have in common; 0 of one seed."""
        return np.asarray((self.shifts**2).sum(-1).mean(-1) - self.items_variance)

    @cached_property
    def _mean_shifts(self) -> Floats:
        return self.shifts.mean(-2)

    def mean_variance(self, other: "Jackknifed | None" = None) -> Floats:
        """Variance, (...), over items of these models' mean, or of its difference from another row's: with what each seed's own
        answers add to it."""
        if other is None:
            return np.asarray((self._mean_shifts**2).sum(-1))
        apart = ((self._mean_shifts - other._mean_shifts) ** 2).sum(-1)
        return beyond_rounding(apart, self.mean_variance() + other.mean_variance())

    def items_covariance(self, other: "Jackknifed") -> Floats:
        """Covariance, (...), of two rows' means over items: the mean over all pairs of a seed of one and one of the other."""
        return (self._mean_shifts * other._mean_shifts).sum(-1)

    def row(self, index: int) -> "Jackknifed":
        """One of rows that stand side by side, (..., rows, seeds)."""
        freedom = np.broadcast_to(self.freedom, self.values.shape[:-1])[..., index]
        return Jackknifed(self.values[..., index, :], self.shifts[..., index, :, :], freedom, self.clusters)

    def __sub__(self, other: "Jackknifed") -> "Jackknifed":
        """The difference of two models' scores on the same items, seed by seed; one seed is held against all of the other's."""
        freedom = np.minimum(self.freedom, other.freedom)
        return Jackknifed(self.values - other.values, self.shifts - other.shifts, freedom, self.clusters)

    def __mul__(self, factor: float) -> "Jackknifed":
        # -0.0 becomes 0.0
        return Jackknifed(self.values * factor + 0.0, self.shifts * factor, self.freedom, self.clusters)


def of_counts(
    counts: Floats, number: Callable[[Floats], Floats], clusters: Clusters, weights: Floats | None = None
) -> Jackknifed:
    """Scores that `number` makes of sums over items of `counts`, (..., seeds, items, k): means, F1, a corpus' perplexity.

    `weights`, (..., seeds, items), say how much of the variance over items each is expected to carry, in any unit, by which
    degrees of freedom are counted; None: all as much.
    """
    totals = counts.sum(-2)
    parts = counts if clusters.single else _sums_by_cluster(counts, clusters.codes, axis=-2)
    return _from_left_out(number(totals), number(totals[..., None, :] - parts), clusters, weights)


def of_scores(score: Callable[[Indices], Sequence[float]], clusters: Clusters) -> Jackknifed:
    """Scores, one per seed, that are made of no sums: `score` gets the indices of the items that are left and is called once
    for each cluster."""
    items = np.arange(len(clusters.codes))
    codes = items if clusters.single else clusters.codes
    left = [score(items[codes != code]) for code in range(codes.max() + 1)]
    return _from_left_out(np.asarray(score(items), dtype=np.float64), np.array(left, dtype=np.float64).T, clusters)


def of_auc(predicted: Floats, positive: npt.NDArray[np.bool_], clusters: Clusters) -> Jackknifed:
    """ROC AUC of values, (..., seeds, items), where `positive`, (items,), should have the higher ones; ties count half.

    Shifts are DeLong's placements. Without two items (or clusters) of each class nothing is known of other items: they are NaN.
    """
    above, below = predicted[..., positive], predicted[..., ~positive]
    ups, downs = _placements(above, below), 1 - _placements(below, above)
    auc = ups.mean(-1)
    shifts, weights = np.zeros(predicted.shape), np.zeros(len(positive))
    codes = np.arange(len(positive)) if clusters.single else clusters.codes
    for members, placements in ((positive, ups), (~positive, downs)):
        holding, count = len(np.unique(codes[members])), members.sum()
        scale = np.sqrt(holding / (holding - 1)) / count if holding > 1 else np.nan
        shifts[..., members] = (placements - auc[..., None]) * scale
        weights[members] = 1 / max(count, 1) ** 2
    smaller = float(min(positive.sum(), (~positive).sum()))
    parts = shifts if clusters.single else _sums_by_cluster(shifts, codes, axis=-1)
    return Jackknifed(auc, parts, min(float(_freedom(clusters, weights[None])), smaller - 1), clusters)


def _placements(values: Floats, others: Floats) -> Floats:
    """The share of the others, (..., m), below each of the values, (..., n); an equal one counts half."""
    placed = np.empty(values.shape)
    # A sorted search needs no table of all pairs of the two classes.
    for place in np.ndindex(values.shape[:-1]):
        ordered = np.sort(others[place])
        below, up_to = (np.searchsorted(ordered, values[place], side=side) for side in ("left", "right"))
        placed[place] = (below + up_to) / (2 * max(len(ordered), 1))
    return placed


def _from_left_out(values: Floats, left: Floats, clusters: Clusters, weights: Floats | None = None) -> Jackknifed:
    """From the scores of all items, (..., seeds), and those with one cluster left out, (..., seeds, clusters)."""
    count = left.shape[-1]
    # Scaled so, their squares add up to (G - 1) / G times the squared distances, the jackknife's variance.
    shifts = (left - left.mean(-1, keepdims=True)) * np.sqrt((count - 1) / count)
    return Jackknifed(values, shifts, _freedom(clusters, weights), clusters)


def _freedom(clusters: Clusters, weights: Floats | None) -> float | Floats:
    """(...), of the seed that has least, of weights, (..., seeds, items)."""
    if weights is None:
        return (len(clusters.codes) if clusters.single else clusters.effective) - 1.0
    # A model that says nothing where nothing is to be found gives no item a weight.
    known = np.where(weights.any(-1, keepdims=True), weights, 1.0)
    parts = known if clusters.single else _sums_by_cluster(known, clusters.codes, axis=-1)
    # However unlike two clusters are, their variance has one degree of freedom; of less there is no t.
    least = min(1.0, parts.shape[-1] - 1.0)
    freedom: Floats = np.maximum(effective_number(parts) - 1, least).min(-1)
    return freedom


def _sums_by_cluster(parts: Floats, codes: Indices, axis: int) -> Floats:
    """Sums over the items of each cluster."""
    # reduceat adds up neighbours, and items of a cluster may lie apart.
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(codes.max() + 1))
    return np.add.reduceat(np.take(parts, order, axis=axis), starts, axis=axis)

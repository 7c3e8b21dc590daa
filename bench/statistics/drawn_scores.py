"""What a drawn answer to an item counts, and the score that is made of the counts of all items.

A drawn answer is a value from 0 to 1: how far its counts are on the way from the item's worst answer to its best. Of a mean the
worst counts 0 and the best 1. Of entity F1 the counts are hits, predicted and gold entities, such as (0, 1, 2) with a false
alarm alone and (2, 2, 2) with both entities found. So a metric is drawn by the sums that it is made of, whatever they count.

The way leads from the best answer through the mean of the item's real answers, so that drawn tables have the table's sums: its
precision and its recall, and no others that would make the same F1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.statistics.arrays import Floats, Indices
from bench.statistics.intervals import Scale

FAR = 1000.0
"""Times the totals: beside them one item's counts are so few that a score is a straight line, and whole numbers still."""
LEAST_GAP = 1e-9
"""Of moves, which are of the order of 1: what is more is no rounding."""


@dataclass(frozen=True)
class Scoring:
    """Of one table's metric and items."""

    number: Callable[[Floats], Floats]
    """Sums of counts over items, (..., k), as scores from 0 to 1, (...); twice the sums make the same score."""
    weights: Callable[[Floats], Floats]
    """Counts, (..., items, k), as what of the denominators each item makes, (..., items)."""
    scale: Scale
    worst: Floats
    """(items, k)"""
    best: Floats
    """(items, k)"""
    base: Floats
    """(items, k): of the untouched model's answers."""

    @property
    def of_mean(self) -> bool:
        """Whether the score is a mean over items, which is a straight line everywhere."""
        return self.scale in ("wilson", "graded")

    @property
    def untouched(self) -> float:
        """The untouched model's score on endless items."""
        return float(self.number(self.base.sum(0)))

    @cached_property
    def _ways(self) -> Floats:
        return self.best - self.worst

    def counts(self, values: Floats, items: Indices) -> Floats:
        """(tables, rows, seeds, items, k) of values, (tables, rows, seeds, items), on each table's items, (tables, items)."""
        counts = np.empty((*values.shape, self.worst.shape[-1]))
        # Column by column, which takes a third of the time that all at once does.
        for column, (worst, way) in enumerate(zip(self.worst.T, self._ways.T, strict=True)):
            np.multiply(values, way[items][:, None, None], out=counts[..., column])
            counts[..., column] += worst[items][:, None, None]
        return counts

    def scores(self, values: Floats) -> Floats:
        """On endless items, (...), where those of each kind have this value on average, (..., items)."""
        return self.number(self._totals(values))

    def reach(self, values: Floats) -> Floats:
        """(rows, items): how far an item moves the score, times the items, from its worst answer to its best."""
        return self.moved(self._totals(values), self._ways)

    def moved(self, totals: Floats, counts: Floats) -> Floats:
        """(rows, ..., items): how far one item of these counts, (..., items, k), moves the score of a row's totals, (rows, k),
        times the items. So the score's variance over items is the mean square of these numbers by the items."""
        many = FAR * totals.reshape(len(totals), *[1] * (max(counts.ndim, 3) - 2), -1)
        return (self.number(many + counts) - self.number(many - counts)) * (FAR * len(self.base) / 2)

    def _totals(self, values: Floats) -> Floats:
        return self.worst.sum(0) + values @ self._ways


def scoring_of_mean(base: Floats) -> Scoring:
    """Of a mean of values from 0 to 1, (items,) of the untouched model."""
    ones = np.ones_like(base)
    worst, best, own = (np.stack([value, ones], axis=-1) for value in (np.zeros_like(base), ones, base))
    return Scoring(lambda totals: totals[..., 0] / totals[..., 1], lambda counts: counts[..., 1], "graded", worst, best, own)


def scoring_of_sums(
    counts: Floats,
    base: Floats,
    empty: Floats,
    perfect: Floats,
    number: Callable[[Floats], Floats],
    weights: Callable[[Floats], Floats],
) -> Scoring:
    """Of a number from 0 to 1 that is made of sums of what all runs' answers count, (runs, items, k), and the untouched
    model's, those of nobody who answers, and perfect ones, each (items, k)."""
    known = np.concatenate([counts, np.stack([base, empty, perfect])])
    unordered = Scoring(number, weights, "logit", empty, perfect, base)
    moves = unordered.moved(counts.mean(0).sum(0)[None], known)
    best = np.take_along_axis(known, moves.argmax(0)[None, :, None], axis=0)[0]
    lost = best - counts.mean(0)
    gap = moves.max(0) - moves[: len(counts)].mean(0)
    apart = gap > LEAST_GAP
    further = np.divide(moves.max(0) - moves.min(0), gap, out=np.zeros_like(gap), where=apart)
    # Nothing is counted less than never, however bad an answer is.
    most = np.divide(best, lost, out=np.full_like(lost, np.inf), where=lost > 0).min(-1)
    worst = best - np.minimum(further, most)[:, None] * lost
    # The mean of answers that are all the best there is shows no way.
    return Scoring(number, weights, "logit", np.where(apart[:, None], worst, empty), best, base)

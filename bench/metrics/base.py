"""The one shape of a metric: counts per item, (items, k), a number from their sum, over all items or a resample's, and how much
each item weighs in it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from bench.statistics.arrays import Floats
from bench.statistics.intervals import Scale


class Counted(ABC):
    """A metric over plain values: text, lists and numbers as JSON has them."""

    name: ClassVar[str]
    description: ClassVar[str]
    higher_is_better: ClassVar[bool] = True
    share: ClassVar[bool] = True
    """Whether it is a number in [0, 1]; differences are then shown in points."""
    prediction: ClassVar[Any] = str
    """Type of an item's prediction: str, float, list[str] or list[float]."""
    reference: ClassVar[Any] = str
    """Type of an item's reference; None where references are not read."""

    @property
    def scale(self) -> Scale:
        """How the bounds of its interval are kept inside."""
        return "logit" if self.share else "plain"

    def signature(self, references: Sequence[Any]) -> str | None:
        """What another needs to know to get the same number, where a field has a convention for it."""
        return None

    @abstractmethod
    def counts(self, predictions: Sequence[Any], references: Sequence[Any]) -> Floats:
        """(items, k). What k columns stand for may depend on the values given: compare numbers, never counts, of two calls.

        Raises:
            UserError: a value is none that the metric can count; the message says which item.
        """

    @abstractmethod
    def number(self, totals: Floats) -> Floats:
        """Sums of counts over items, (..., k), as the metric's numbers, (...)."""

    @abstractmethod
    def weights(self, counts: Floats) -> Floats:
        """Counts, (..., items, k), as how much of the denominators each item makes, (..., items), in any unit: the degrees of
        freedom of the number's variance over items are counted by it, since an item with more moves the number more."""

    def value(self, predictions: Sequence[Any], references: Sequence[Any]) -> float:
        """The metric over all items."""
        return float(self.number(self.counts(predictions, references).sum(0)))


class Mean(Counted):
    """A mean of one value per item."""

    graded: ClassVar[bool] = False
    """Whether an item may also have a value between 0 and 1."""

    @property
    def scale(self) -> Scale:
        return ("graded" if self.graded else "wilson") if self.share else "plain"

    @abstractmethod
    def values(self, predictions: Sequence[Any], references: Sequence[Any]) -> Sequence[float]:
        """One value per item."""

    def counts(self, predictions: Sequence[Any], references: Sequence[Any]) -> Floats:
        # float64, since float32 has no whole numbers above 2**24. How many items there are is a sum like any other, so that
        # a resample's mean needs nothing but its sums.
        values = np.asarray(self.values(predictions, references), dtype=np.float64)
        return np.stack([values, np.ones_like(values)], axis=1)

    def number(self, totals: Floats) -> Floats:
        return ratio(totals[..., 0], totals[..., 1])

    def weights(self, counts: Floats) -> Floats:
        return counts[..., 1]


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotients; 0 where there is nothing to divide by, as in scikit-learn and seqeval."""
    # np.where would divide first and warn of the zeros.
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)


def mean_f1(totals: Floats) -> Floats:
    """(..., 3 x classes), each class's hits, predictions and golds, as the mean F1 of the classes that occur, (...)."""
    hits, predicted, gold = np.moveaxis(totals.reshape(*totals.shape[:-1], -1, 3), -1, 0)
    # A resample may miss a class that all items together have: then it is no part of the mean, as in scikit-learn.
    occurs = predicted + gold > 0
    return ratio(ratio(2 * hits, predicted + gold).sum(-1), occurs.sum(-1, dtype=np.float64))


def mean_f1_weights(counts: Floats) -> Floats:
    """(..., items, 3 x classes) as (..., items): an item's part of each class's predictions and golds, summed over classes."""
    _, predicted, gold = np.moveaxis(counts.reshape(*counts.shape[:-1], -1, 3), -1, 0)
    held = predicted + gold
    return ratio(held, np.broadcast_to(held.sum(-2, keepdims=True), held.shape)).sum(-1)

"""Metrics whose predictions are their values, one per item."""

from collections.abc import Sequence
from typing import Any

from bench.metrics.base import Mean


class Malformed(Mean):
    name = "malformed"
    description = "share of answers that could not be parsed: 1 for such an item, else 0"
    higher_is_better = False
    prediction = float
    reference = None

    def values(self, predictions: Sequence[Any], references: Sequence[Any]) -> Sequence[float]:
        return predictions

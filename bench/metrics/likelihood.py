"""Metrics of how likely a model finds texts: an item's prediction is its nats, and the tokens and the bytes of UTF-8 that they
are spread over."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from bench.errors import UserError
from bench.metrics.base import Counted, ratio
from bench.statistics.arrays import Floats


class _PerUnit(Counted):
    higher_is_better = False
    share = False
    prediction = list[float]
    reference = None
    unit: ClassVar[str]
    place: ClassVar[int]
    """Of the units' number in a prediction."""

    def counts(self, predictions: Sequence[Any], references: Sequence[Any]) -> Floats:
        """(items, 2): nats and units."""
        for number, prediction in enumerate(predictions, start=1):
            if not (len(prediction) > self.place and prediction[self.place] > 0):
                raise UserError(f"item {number}: there are no {self.unit} to score; leave it out")
        return np.array([(each[0], each[self.place]) for each in predictions], dtype=np.float64).reshape(-1, 2)

    def weights(self, counts: Floats) -> Floats:
        return counts[..., 1]


class Perplexity(_PerUnit):
    name = "perplexity"
    description = "exponential of the mean nats per token"
    unit = "tokens"
    place = 1

    def number(self, totals: Floats) -> Floats:
        # Of the sums: a mean of texts' own perplexities would let one short text decide.
        return np.exp(ratio(totals[..., 0], totals[..., 1]))


class BitsPerByte(_PerUnit):
    name = "bits_per_byte"
    description = "bits per byte of UTF-8: comparable between tokenizers"
    unit = "bytes"
    place = 2

    def number(self, totals: Floats) -> Floats:
        return ratio(totals[..., 0], totals[..., 1]) / np.log(2)

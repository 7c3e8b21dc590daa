"""Metrics whose predictions are their values, one per item; each is a column of that name in the items' table."""

from collections.abc import Sequence
from typing import Any

from bench.metrics.base import Mean


class _Rate(Mean):
    prediction = float
    reference = None

    def values(self, predictions: Sequence[Any], references: Sequence[Any]) -> Sequence[float]:
        return predictions


class Malformed(_Rate):
    name = "malformed"
    description = "share of answers that could not be parsed: 1 for such an item, else 0"
    higher_is_better = False


class Unfinished(_Rate):
    name = "unfinished"
    description = "share of written answers that came to the limit of tokens before their end: 1 for such an item, else 0"
    higher_is_better = False


class Truncated(_Rate):
    name = "truncated"
    description = "share of items of which the model read a part alone, as they are too long: 1 for such an item, else 0"
    higher_is_better = False


class Answerable(_Rate):
    name = "answerable"
    description = "share of questions on a text whose answer was still in what the model read: 1 for such an item, else 0"


class ReferenceLoss(_Rate):
    name = "reference_loss"
    description = "mean over items of the nats per token of the first reference, or of every learned answer of a chat"
    higher_is_better = False
    share = False


RATES = (Malformed.name, Unfinished.name, Truncated.name, Answerable.name, ReferenceLoss.name)

"""Metrics of labels: accuracy, and F1 with each label weighing the same."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.metrics.base import Counted, Mean, mean_f1, mean_f1_weights
from bench.statistics.arrays import Floats


class Accuracy(Mean):
    name = "accuracy"
    description = "share of predictions that equal the reference"

    def values(self, predictions: Sequence[Any], references: Sequence[Any]) -> Sequence[float]:
        return [float(guess == gold) for guess, gold in zip(predictions, references, strict=True)]


class MacroF1(Counted):
    name = "f1_macro"
    description = "mean of F1 over the labels that occur, as reference or as prediction; a malformed answer is none"

    def counts(self, predictions: Sequence[Any], references: Sequence[Any]) -> Floats:
        """Per label 1 or 0 for hit, predicted, gold: (items, 3 x labels)."""
        # Labels of these items alone: scikit-learn's default too, so that an unused label does not pull the mean down.
        labels, codes = np.unique([*predictions, *references], return_inverse=True)
        guess, gold = codes.reshape(2, -1)
        is_guess, is_gold = (np.eye(len(labels))[side] for side in (guess, gold))
        counted = np.stack([is_guess * is_gold, is_guess, is_gold], axis=-1)
        return counted[:, labels != ""].reshape(len(guess), -1)  # a malformed answer is the empty text, and no label

    def number(self, totals: Floats) -> Floats:
        return mean_f1(totals)

    def weights(self, counts: Floats) -> Floats:
        return mean_f1_weights(counts)

"""Task metrics as `evaluate.Metric` classes that need no hub; each is a number in [0, 1], higher is better.

They are counted from the confusion matrix, which a bootstrap can do a thousand times; scikit-learn is the tests' oracle.
"""

from typing import Any

import datasets
import evaluate
import numpy as np
import numpy.typing as npt

from bench.errors import unknown


def confusion(predictions: Any, references: Any) -> npt.NDArray[np.int64]:
    """Counts (label, label): references in rows, predictions in columns, over the labels that occur."""
    labels, codes = np.unique(np.concatenate([references, predictions]), return_inverse=True)
    gold, guess = codes[: len(references)], codes[len(references) :]
    return np.bincount(gold * len(labels) + guess, minlength=len(labels) ** 2).reshape(len(labels), -1)


class _LabelMetric(evaluate.Metric):
    """Predictions and references are label names, or numbers that stand for them."""

    description = ""

    def _info(self) -> evaluate.MetricInfo:
        features = datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})
        return evaluate.MetricInfo(
            description=self.description, citation="", features=features, inputs_description="label names"
        )


class Accuracy(_LabelMetric):
    description = "share of predictions that equal the reference"

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        return {"accuracy": float(np.mean(np.asarray(predictions) == np.asarray(references)))}


class MacroF1(_LabelMetric):
    description = "mean over the labels of F1, each label weighing the same"

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        counts = confusion(predictions, references)
        return {"f1_macro": float(np.mean(2 * np.diag(counts) / (counts.sum(0) + counts.sum(1))))}


METRICS: dict[str, type[evaluate.Metric]] = {"accuracy": Accuracy, "f1_macro": MacroF1}


def metric(name: str) -> evaluate.Metric:
    """The metric of that name.

    Raises:
        UserError: there is none.
    """
    if name not in METRICS:
        raise unknown("metric", name, METRICS)
    return METRICS[name]()


def value(metric: evaluate.Metric, predictions: Any, references: Any) -> float:
    """The metric on arrays in memory; `Metric.compute` would write them to an arrow file for each of a bootstrap's samples."""
    (number,) = metric._compute(predictions=predictions, references=references).values()
    return float(number)

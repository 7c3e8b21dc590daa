"""What makes a metric an `evaluate.Metric`: it can be combined with others of that library, and no hub is asked for it."""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from bench.metrics.base import Counted

FEATURES = {
    str: datasets.Value("string"),
    float: datasets.Value("float64"),
    list[str]: datasets.Sequence(datasets.Value("string")),
    list[float]: datasets.Sequence(datasets.Value("float64")),
}


class EvaluateMetric(Counted, evaluate.Metric):
    """`compute(predictions=..., references=...)` gives `{name: value}`."""

    def _info(self) -> evaluate.MetricInfo:
        kinds = {"predictions": self.prediction, "references": self.reference}
        features = datasets.Features({side: FEATURES[kind] for side, kind in kinds.items() if kind is not None})
        return evaluate.MetricInfo(
            description=self.description, citation="", features=features, inputs_description="one value per item"
        )

    # evaluate passes no references where the features name none.
    def _compute(self, predictions: Sequence[Any], references: Sequence[Any] = ()) -> dict[str, float]:
        return {self.name: self.value(list(predictions), list(references))}

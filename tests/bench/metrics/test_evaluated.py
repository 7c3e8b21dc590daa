"""Every metric is an evaluate.Metric too."""

import evaluate
import pytest

from bench import metrics
from bench.metrics.evaluated import EvaluateMetric

EXAMPLES = {
    "accuracy": (["a", "b", "b"], ["a", "a", "b"], 2 / 3),
    "squad_f1": (["a cat"], [["the cat", "a dog"]], 1.0),
    "entity_f1": ([["B-PER", "O"]], [["B-PER", "O"]], 1.0),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_compute_gives_the_number_by_name(name):
    predictions, references, expected = EXAMPLES[name]
    metric = metrics.metric(name)
    assert isinstance(metric, EvaluateMetric) and isinstance(metric, evaluate.Metric)
    assert metric.compute(predictions=predictions, references=references) == {name: pytest.approx(expected)}


def test_evaluate_combines_them_with_its_own():
    both = evaluate.combine([metrics.metric("accuracy"), metrics.metric("f1_macro")])
    found = both.compute(predictions=["a", "b", "b"], references=["a", "a", "b"])
    assert found == {"accuracy": pytest.approx(2 / 3), "f1_macro": pytest.approx(2 / 3)}

import numpy as np
import pytest

from bench import metrics
from bench.metrics.base import Mean, mean_f1, ratio


def test_a_ratio_without_anything_to_divide_by_is_zero():
    assert ratio(np.array([1.0, 3.0, 0.0]), np.array([2.0, 0.0, 0.0])).tolist() == [0.5, 0.0, 0.0]


def test_a_mean_is_a_sum_and_a_count():
    class Length(Mean):
        name = "length"

        def values(self, predictions, references):
            return [len(each) for each in predictions]

    assert Length().counts(["ab", "c"], []).tolist() == [[2, 1], [1, 1]]
    assert Length().value(["ab", "c"], []) == 1.5
    assert Length().number(np.array([[4.0, 2.0], [0.0, 0.0]])).tolist() == [2.0, 0.0]


def test_mean_f1_is_of_the_classes_that_occur():
    """Three classes as (hits, predicted, gold): F1 of 2/3, of 0, and one that neither side names."""
    totals = np.array([1.0, 2.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0])
    assert float(mean_f1(totals)) == pytest.approx((2 / 3 + 0) / 2)
    assert mean_f1(np.stack([totals, 0 * totals])).tolist() == pytest.approx([1 / 3, 0.0])


def test_an_item_weighs_by_its_part_of_what_the_number_is_divided_by():
    """Of two sentences, the first with one entity of each side, the second with two golds and no prediction."""
    tags = [["B-A", "O"], ["O", "O"]], [["B-A", "O"], ["B-A", "B-B"]]
    # The second has half of A's golds, of three in all with the prediction, and all of B's.
    entities = {"entity_f1": [2, 2], "entity_precision": [1, 0], "entity_recall": [1, 2], "entity_f1_macro": [2 / 3, 1 / 3 + 1]}
    expected = [(name, *tags, weights) for name, weights in entities.items()]
    expected += [
        ("accuracy", ["a", "a"], ["a", "b"], [1, 1]),
        ("f1_macro", ["a", "a"], ["a", "b"], [2 / 3, 1 / 3 + 1]),
        ("perplexity", [[5.0, 2.0, 9.0], [5.0, 4.0, 9.0]], [], [2, 4]),
        ("bits_per_byte", [[5.0, 2.0, 9.0], [5.0, 4.0, 8.0]], [], [9, 8]),
        ("bleu", ["a b c", "a"], [["a b"], ["a b c d"]], [5, 5]),
        ("chrf", ["a b c", "a"], [["a b"], ["a b c d"]], [5, 5]),
    ]
    for name, predictions, references, weights in expected:
        metric = metrics.counted(name)
        assert metric.weights(metric.counts(predictions, references)) == pytest.approx(np.array(weights, dtype=float)), name


def test_bounds_are_kept_inside_as_the_number_is_made():
    scales = {
        "accuracy": "wilson",
        "malformed": "wilson",
        "squad_em": "wilson",
        "rougeL": "graded",
        "squad_f1": "graded",
        "f1_macro": "logit",
        "entity_f1": "logit",
    }
    assert {name: metrics.counted(name).scale for name in scales} == scales
    assert metrics.counted("perplexity").scale == "plain" and metrics.counted("chrf").scale == "percent"

"""Metrics as `evaluate.Metric`s: in one call, in batches, beside others, and without a hub. test_package.py has them all."""

import evaluate
import pytest

from bench import metrics
from bench.metrics.evaluated import FEATURES


def test_evaluate_combines_them_with_its_own():
    both = evaluate.combine([metrics.metric("accuracy"), metrics.metric("f1_macro")])
    found = both.compute(predictions=["a", "b", "b"], references=["a", "a", "b"])
    assert found == {"accuracy": pytest.approx(2 / 3), "f1_macro": pytest.approx(2 / 3)}


def test_what_is_added_in_batches_counts_as_a_whole():
    """F1 of all items is no mean of the batches' own."""
    batched, guess, gold = metrics.metric("f1_macro"), list("aabbabbb"), list("abababab")
    for start in range(0, 8, 3):
        batched.add_batch(predictions=guess[start : start + 3], references=gold[start : start + 3])
    assert batched.compute() == {"f1_macro": pytest.approx(metrics.counted("f1_macro").value(guess, gold))}


def test_every_type_of_a_value_is_known_to_arrow():
    kinds = {kind for name in metrics.names() for kind in (metrics.counted(name).prediction, metrics.counted(name).reference)}
    assert kinds - {None} == set(FEATURES)
    # A prediction alone, where there is nothing to hold it against.
    assert list(metrics.metric("perplexity").features) == ["predictions"]
    assert metrics.metric("perplexity").compute(predictions=[[0.0, 4.0]]) == {"perplexity": 1.0}

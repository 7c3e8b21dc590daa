"""The shape of a metric, and the two quotients that metrics are made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from bench.metrics.base import Mean, mean_f1, ratio


class Length(Mean):
    name = "length"
    description = "mean length of the predictions"

    def values(self, predictions, references):
        return [len(guess) for guess in predictions]


@given(st.lists(st.text(max_size=5), min_size=1, max_size=20), st.data())
def test_a_mean_of_any_resample_comes_of_its_counts(predictions, data):
    counts = Length().counts(predictions, [])
    assert counts.shape == (len(predictions), 2) and counts.dtype == np.float64
    drawn = data.draw(st.lists(st.integers(0, len(predictions) - 1), min_size=1, max_size=30))
    assert Length().number(counts[drawn].sum(0)) == pytest.approx(np.mean([len(predictions[i]) for i in drawn]))
    assert Length().value(predictions, []) == pytest.approx(np.mean([len(guess) for guess in predictions]))


def test_nothing_over_nothing_is_zero_without_a_warning(recwarn):
    assert ratio(np.array([0.0, 3.0, 1.0]), np.array([0.0, 0.0, 4.0])).tolist() == [0.0, 0.0, 0.25]
    assert mean_f1(np.zeros((2, 6))).tolist() == [0.0, 0.0]  # no class occurs
    assert not recwarn.list


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_mean_f1_is_scikit_learns_over_the_classes_that_occur(pairs):
    gold, guess = np.array(pairs).T
    classes = np.arange(5)[:, None]
    hits, predicted, golds = ((gold == classes) & (guess == classes), guess == classes, gold == classes)
    totals = np.stack([hits, predicted, golds], axis=1).sum(-1).astype(np.float64).ravel()
    expected = f1_score(gold, guess, average="macro")
    assert mean_f1(totals) == pytest.approx(expected)
    # Many sums at once, whatever their shape.
    several = mean_f1(np.stack([totals, 2 * totals]).reshape(2, 1, -1))
    assert several.shape == (2, 1) and several.ravel() == pytest.approx([expected] * 2)

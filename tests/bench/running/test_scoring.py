"""Scores and rises of prediction frames, held to scikit-learn's numbers on each resample."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from bench.running.scoring import rise, scores
from bench.statistics.bootstrap import interval


def frame(gold: list, prediction: list) -> pd.DataFrame:
    return pd.DataFrame({"gold": pd.Series(gold, dtype=object), "prediction": pd.Series(prediction, dtype=object)})


def labels(seed: int, count: int = 80) -> np.ndarray:
    return np.random.default_rng(seed).choice(["no", "maybe", "yes"], size=count, p=[0.5, 0.05, 0.45])


def test_scores_equal_scikit_learn_on_every_resample():
    gold, guess = labels(0), labels(1)
    found = scores(frame(list(gold), list(guess)), ["accuracy", "f1_macro"])
    bounds = interval(lambda i: f1_score(gold[i], guess[i], average="macro"), len(gold))
    assert (found["f1_macro"].ci_low, found["f1_macro"].ci_high) == pytest.approx(bounds, abs=1e-12)
    bounds = interval(lambda i: (gold[i] == guess[i]).mean(), len(gold))
    assert (found["accuracy"].ci_low, found["accuracy"].ci_high) == pytest.approx(bounds, abs=1e-12)
    assert found["accuracy"].value == (gold == guess).mean() and found["accuracy"].n == 80


def test_rise_is_paired():
    gold, old, new = labels(0), labels(1), labels(2)
    found = rise(frame(list(gold), list(new)), frame(list(gold), list(old)), "f1_macro")

    def difference(i) -> float:
        return f1_score(gold[i], new[i], average="macro") - f1_score(gold[i], old[i], average="macro")

    assert found == pytest.approx((difference(slice(None)), *interval(difference, len(gold))), abs=1e-12)


def test_rise_is_positive_where_a_lower_number_is_better():
    before, after = frame([None, None], [[10.0, 2.0], [12.0, 4.0]]), frame([None, None], [[9.0, 2.0], [11.0, 4.0]])
    difference, low, high = rise(after, before, "perplexity")
    assert difference == pytest.approx(np.exp(22 / 6) - np.exp(20 / 6)) and 0 < low < difference < high
    assert scores(after, ["perplexity"])["perplexity"].higher_is_better is False


@pytest.mark.parametrize("name", ["accuracy", "malformed"])
def test_same_answers_rise_by_zero(name: str):
    answers = frame([1.0, 0.0], [1.0, 1.0])
    assert [str(number) for number in rise(answers, answers, name)] == ["0.0"] * 3


def test_lists_are_answers_too():
    tags = frame([["B-PER", "O"], ["B-LOC"]], [["B-PER", "O"], ["O"]])
    found = scores(tags, ["entity_f1", "entity_recall"])
    assert (found["entity_f1"].value, found["entity_recall"].value) == (pytest.approx(2 / 3), 0.5)
    assert found["entity_f1"].share and found["entity_f1"].higher_is_better

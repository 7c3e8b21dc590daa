"""Scores and rises of prediction frames, held to scikit-learn's numbers without each item."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from bench.measuring.scoring import rise, scores, worth


def frame(gold: list, prediction: list) -> pd.DataFrame:
    return pd.DataFrame({"gold": pd.Series(gold, dtype=object), "prediction": pd.Series(prediction, dtype=object)})


def labels(seed: int, count: int = 80) -> np.ndarray:
    return np.random.default_rng(seed).choice(["no", "maybe", "yes"], size=count, p=[0.5, 0.05, 0.45])


def effective(gold: np.ndarray, guess: np.ndarray) -> float:
    """So many items of one weight: an item's is its share of each label's golds and guesses."""
    parts = [((gold == label) * 1 + (guess == label)) for label in ("no", "maybe", "yes")]
    weights = sum(part / part.sum() for part in parts)
    return weights.sum() ** 2 / (weights**2).sum()


def half_width(score, groups: np.ndarray, effective: float | None = None) -> float:
    """Of the jackknife, by leaving out each group of items in a loop."""
    names = np.unique(groups)
    left = np.array([score(np.flatnonzero(groups != name)) for name in names])
    count = len(names)
    return stats.t.ppf(0.975, (effective or count) - 1) * np.sqrt((count - 1) / count * ((left - left.mean()) ** 2).sum())


def test_scores_equal_scikit_learn_without_each_item():
    gold, guess = labels(0), labels(1)
    found = scores(frame(list(gold), list(guess)), ["accuracy", "f1_macro"])
    value = f1_score(gold, guess, average="macro")
    half = half_width(lambda i: f1_score(gold[i], guess[i], average="macro"), np.arange(80), effective(gold, guess))
    half /= value * (1 - value)
    ends = [1 / (1 + np.exp(-(np.log(value / (1 - value)) + sign * half))) for sign in (-1, 1)]
    assert (found["f1_macro"].ci_low, found["f1_macro"].ci_high) == pytest.approx(ends, abs=1e-12)
    wilson = stats.binomtest(int((gold == guess).sum()), 80).proportion_ci(method="wilson")
    assert (found["accuracy"].ci_low, found["accuracy"].ci_high) == pytest.approx(tuple(wilson), abs=3e-3)
    assert found["accuracy"].value == (gold == guess).mean() and found["accuracy"].n == 80


def test_rise_is_paired():
    gold, old, new = labels(0), labels(1), labels(2)
    found = rise(frame(list(gold), list(new)), frame(list(gold), list(old)), "f1_macro")

    def difference(i) -> float:
        return f1_score(gold[i], new[i], average="macro") - f1_score(gold[i], old[i], average="macro")

    # The side that rests on fewer items counts.
    fewest = min(effective(gold, guess) for guess in (old, new))
    value, half = difference(slice(None)), half_width(difference, np.arange(80), fewest)
    assert found == pytest.approx((value, value - half, value + half), abs=1e-12)


def test_whole_clusters_are_left_out():
    gold, old, new = labels(0), labels(1), labels(2)
    films = np.arange(80) // 4
    after = frame(list(gold), list(new)).assign(cluster=[f"film {n}" for n in films])
    _, low, high = rise(after, frame(list(gold), list(old)), "accuracy")
    half = half_width(lambda i: (new[i] == gold[i]).mean() - (old[i] == gold[i]).mean(), films)
    half = np.hypot(half, stats.t.ppf(0.975, 19) / 80)  # one more answer that turned
    assert (high - low) / 2 == pytest.approx(half, abs=1e-12)
    apart, whole = (scores(each, ["accuracy"])["accuracy"] for each in (frame(list(gold), list(new)), after))
    assert whole.value == apart.value and (whole.ci_low, whole.ci_high) != (apart.ci_low, apart.ci_high)


def test_rise_is_positive_where_a_lower_number_is_better():
    before, after = frame([None, None], [[10.0, 2.0], [12.0, 4.0]]), frame([None, None], [[9.0, 2.0], [11.0, 4.0]])
    difference, low, high = rise(after, before, "perplexity")
    assert difference == pytest.approx(np.exp(22 / 6) - np.exp(20 / 6)) and low < difference < high
    assert scores(after, ["perplexity"])["perplexity"].higher_is_better is False


@pytest.mark.parametrize("name", ["accuracy", "malformed"])
def test_same_answers_rise_by_zero(name: str):
    answers = frame([1.0, 0.0] * 32, [1.0] * 64)
    value, low, high = rise(answers, answers, name)
    assert str(value) == "0.0"
    # None of 64 turned, and one in 64 may on others.
    assert -low == high == pytest.approx(stats.t.ppf(0.975, 63) / 64)


def test_same_answers_of_another_number_leave_no_width():
    """Of such a number it is not known what one more answer would move it by."""
    answers = frame([["B-X", "O"], ["O", "O"]] * 4, [["B-X", "O"], ["O", "B-X"]] * 4)
    assert [str(number) for number in rise(answers, answers, "entity_f1")] == ["0.0"] * 3


def test_lists_are_answers_too():
    tags = frame([["B-PER", "O"], ["B-LOC"]], [["B-PER", "O"], ["O"]])
    found = scores(tags, ["entity_f1", "entity_recall"])
    assert (found["entity_f1"].value, found["entity_recall"].value) == (pytest.approx(2 / 3), 0.5)
    assert found["entity_f1"].share and found["entity_f1"].higher_is_better


def test_what_lies_between_no_training_has_no_answer_that_it_turned():
    answers = frame(["a", "b"] * 32, ["a"] * 64)
    assert rise(answers, answers, "accuracy", trained=False) == (0.0, 0.0, 0.0)


def test_more_worth_is_better_whatever_the_metric():
    low, high = ([[nats, 2.0], [nats + 2.0, 4.0]] for nats in (9.0, 10.0))
    assert worth(frame([None, None], low), "perplexity") > worth(frame([None, None], high), "perplexity")
    assert worth(frame(["a", "b"], ["a", "b"]), "accuracy") > worth(frame(["a", "b"], ["a", "a"]), "accuracy")

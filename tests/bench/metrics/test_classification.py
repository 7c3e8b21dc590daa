import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from bench import metrics

pairs = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=60)


@given(pairs)
def test_metrics_equal_scikit_learn(pairs):
    gold, guess = (list(side) for side in zip(*pairs, strict=True))
    assert metrics.counted("accuracy").value(guess, gold) == pytest.approx(accuracy_score(gold, guess), abs=1e-12)
    expected = f1_score(gold, guess, average="macro")
    assert metrics.counted("f1_macro").value(guess, gold) == pytest.approx(expected, abs=1e-12)


def test_a_malformed_answer_is_wrong_and_no_label_of_its_own():
    """As one, with an F1 of 0, a single such answer among hundreds would take a third of the mean of two labels."""
    gold, metric = list("aabb"), metrics.counted("f1_macro")
    assert metric.value([*list("aab"), ""], gold) == pytest.approx((1 + 2 / 3) / 2)
    assert metric.value([""] * 4, gold) == 0


@given(pairs, st.data())
def test_f1_of_a_part_has_the_labels_of_that_part(pairs, data):
    gold, guess = (list(side) for side in zip(*pairs, strict=True))
    part = data.draw(st.lists(st.integers(0, len(pairs) - 1), min_size=1))
    metric = metrics.counted("f1_macro")
    expected = f1_score([gold[i] for i in part], [guess[i] for i in part], average="macro")
    assert float(metric.number(metric.counts(guess, gold)[part].sum(0))) == pytest.approx(expected, abs=1e-12)

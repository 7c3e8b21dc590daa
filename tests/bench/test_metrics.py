import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from bench import metrics
from bench.errors import UserError

pairs = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=60)


@given(pairs)
def test_metrics_equal_scikit_learn(pairs):
    gold, guess = (list(side) for side in zip(*pairs, strict=True))
    assert metrics.value(metrics.metric("accuracy"), guess, gold) == pytest.approx(accuracy_score(gold, guess))
    assert metrics.value(metrics.metric("f1_macro"), guess, gold) == pytest.approx(f1_score(gold, guess, average="macro"))


def test_compute_and_value_agree():
    generator = np.random.default_rng(0)
    gold, guess = (list(generator.choice(["negative", "positive"], 50)) for _ in range(2))
    for name in metrics.METRICS:
        metric = metrics.metric(name)
        assert metric.compute(predictions=guess, references=gold)[name] == metrics.value(metric, guess, gold)


def test_unknown_metric_names_the_nearest():
    with pytest.raises(UserError, match="did you mean accuracy"):
        metrics.metric("acuracy")

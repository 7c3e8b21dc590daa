"""A probe's number is the one that its name says, however many seeds."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from bench.probes.similarity import Similarity
from bench.statistics.jackknife import clusters_of
from bench.statistics.probed import AUC, of_probe

GENERATOR = np.random.default_rng(0)
GOLD = (GENERATOR.random(40) < 0.6).astype(float)
VALUES = GENERATOR.normal(size=(2, 40)) + GOLD
WEIGHTS = GENERATOR.integers(1, 5, 40).astype(float)
APART = clusters_of(None, 40)


@pytest.mark.parametrize(
    ("measure", "number"),
    [
        ("ROC AUC", lambda values: roc_auc_score(GOLD, values)),
        ("Spearman correlation", lambda values: spearmanr(GOLD, values).statistic),
        ("loss (nats per token)", lambda values: np.average(values, weights=WEIGHTS)),
    ],
)
def test_values_are_the_number_of_that_name(measure, number):
    found = of_probe(measure, VALUES, WEIGHTS, GOLD, APART)
    assert found.values == pytest.approx([number(row) for row in VALUES])
    assert found.shifts.shape == (2, 40)


def test_weighted_mean_without_an_item():
    found = of_probe("accuracy", VALUES, WEIGHTS, None, APART)
    left = np.array([np.average(np.delete(VALUES[0], n), weights=np.delete(WEIGHTS, n)) for n in range(40)])
    assert found.shifts[0] == pytest.approx((left - left.mean()) * np.sqrt(39 / 40))


def test_one_weight_alone_leaves_nothing_to_average():
    found = of_probe("accuracy", VALUES, np.eye(40)[0], None, APART)
    assert np.isfinite(found.shifts).all() and found.values == pytest.approx(VALUES[:, 0])


def test_the_probe_of_pairs_calls_its_number_so():
    assert Similarity.value == AUC

"""What numbers of values come to on endless items, where all values are shifted, and on drawn ones."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bench.statistics.drawn_values import RankedPairs, WeightedMean
from bench.statistics.jackknife import clusters_of
from bench.statistics.probed import weighted_mean

EVERYTHING = np.arange(6)[None]


def test_a_mean_is_shifted_as_its_values_are():
    number = WeightedMean(np.zeros(6), np.array([1.0, 1, 1, 1, 1, 5]), weighted_mean)
    places = np.array([0.0, 0, 0, 0, 0, 2])
    assert number.by_shift(places, np.ones(6))(np.array([0.0, 0.5])) == pytest.approx([1.0, 1.5])
    found = number.jackknifed(places[None, None, None], EVERYTHING, clusters_of(None, 6))
    assert found.values.item() == 1.0 and found.freedom.item() == pytest.approx(100 / 30 - 1)
    assert (number.ends, number.scale) == ((-np.inf, np.inf), "plain")


def test_perplexity_is_the_exponential_of_a_shifted_mean():
    number = WeightedMean(np.zeros(6), np.full(6, 7.0), lambda totals: np.exp(weighted_mean(totals)), 0.0)
    assert number.by_shift(np.full(6, 2.0), np.ones(6))(np.array([0.5])) == pytest.approx([np.exp(2.5)])
    assert number.ends == (0.0, np.inf)


def test_pairs_on_endless_items_are_ranked_as_many_drawn_ones_are():
    generator = np.random.default_rng(0)
    positive = (np.arange(30) < 12).astype(int)
    places, spreads = generator.normal(size=30) + positive, generator.uniform(0.1, 1, 30)
    of_shift = RankedPairs(places, positive).by_shift(places, spreads)
    for shift in (0.0, 0.7, -1.0):
        items = generator.integers(30, size=40_000)
        drawn = places[items] + spreads[items] * generator.normal(size=40_000) + shift * (positive[items] - 0.5)
        assert of_shift(np.array([shift])) == pytest.approx(roc_auc_score(positive[items], drawn), abs=0.01)
    assert of_shift(np.array([-1e6, 1e6])) == pytest.approx([0.0, 1.0], abs=1e-8)


def test_values_that_never_vary_are_ranked_as_they_are():
    places, positive = np.array([0.1, 0.9, 0.4, 0.2, 0.8, 0.3]), np.array([0, 1, 0, 1, 1, 0])
    ranked = RankedPairs(places, positive)
    expected = roc_auc_score(positive, places)
    assert ranked.by_shift(places, np.zeros(6))(np.zeros(1)) == pytest.approx(expected, abs=0.01)
    assert ranked.jackknifed(places[None, None, None], EVERYTHING, clusters_of(None, 6)).values.item() == pytest.approx(
        expected
    )


def test_one_scale_keeps_the_order_of_each_run():
    """Of two runs, one of which has drawn all values together."""
    values = np.random.default_rng(0).normal(size=(2, 50)) * np.array([[1.0], [0.01]])
    ranked = RankedPairs(values[0], (np.arange(50) % 2).astype(int))
    scores = ranked.on_one_scale(values)
    assert (np.argsort(scores, -1) == np.argsort(values, -1)).all() and np.sort(scores[0]) == pytest.approx(np.sort(scores[1]))

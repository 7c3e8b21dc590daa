import numpy as np
import pytest
import scipy.stats

from bench.statistics import interval


def test_equals_scipys_percentile_bootstrap():
    values = np.random.default_rng(1).normal(size=200)
    low, high = interval(lambda i: values[i].mean(), len(values), resamples=4000)
    expected = scipy.stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=2).confidence_interval
    assert low == pytest.approx(expected.low, abs=0.015)
    assert high == pytest.approx(expected.high, abs=0.015)


def test_covers_the_truth_about_as_often_as_it_says():
    generator, truth, hits = np.random.default_rng(0), 0.8, 0
    for _ in range(300):
        right = generator.random(300) < truth
        low, high = interval(lambda i, right=right: right[i].mean(), 300, resamples=300)
        hits += low <= truth <= high
    # 95 % of 300 is 285; the binomial's 99.9 % range, less the percentile bootstrap's known small shortfall.
    assert 268 <= hits <= 299


def test_the_same_data_gives_the_same_interval():
    values = np.random.default_rng(3).normal(size=50)
    assert interval(lambda i: values[i].mean(), 50) == interval(lambda i: values[i].mean(), 50)


def test_a_paired_difference_of_equal_answers_has_no_width():
    values = np.random.default_rng(4).normal(size=50)
    assert interval(lambda i: values[i].mean() - values[i].mean(), 50) == (0.0, 0.0)

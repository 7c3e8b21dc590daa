import tracemalloc

import numpy as np
import pytest
import scipy.stats

from bench.statistics import bootstrap
from bench.statistics.bootstrap import bounds, interval, totals


def test_of_many_items_equals_scipys_percentile_bootstrap():
    values = np.random.default_rng(1).normal(size=200)
    low, high = interval(lambda i: values[i].mean(), len(values), resamples=4000)
    expected = scipy.stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=2).confidence_interval
    assert low == pytest.approx(expected.low, abs=0.015)
    assert high == pytest.approx(expected.high, abs=0.015)


def test_of_few_items_is_about_the_t_interval():
    values = np.random.default_rng(2).normal(size=14)
    low, high = interval(lambda i: values[i].mean(), 14, resamples=20_000)
    expected = scipy.stats.t.interval(0.95, 13, loc=values.mean(), scale=scipy.stats.sem(values))
    assert (low, high) == pytest.approx(expected, abs=0.06)
    plain = scipy.stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=2).confidence_interval
    assert expected[1] - expected[0] > plain.high - plain.low + 0.1  # so that the test tells them apart


@pytest.mark.parametrize("draw", ["student", "answers"])
def test_few_items_without_a_change_are_rarely_called_one(draw: str):
    """1,000 probes of 14 paired differences around 0: heavy-tailed losses, and answers that turn right or wrong."""
    generator, calls = np.random.default_rng(8), 0
    for _ in range(1000):
        change = generator.standard_t(5, size=14) if draw == "student" else generator.choice([-1.0, 0.0, 0.0, 1.0], size=14)
        low, high = interval(lambda i, change=change: change[i].mean(), 14, resamples=400)
        calls += low > 0 or high < 0
    # 5 % are 50; plain percentiles call 93 losses and 73 answers a change.
    assert calls <= 70


def test_the_tail_grows_with_the_items_to_a_fortieth():
    tails = [bootstrap.tail(items) for items in (1, 2, 3, 14, 100, 10**6)]
    assert tails == sorted(tails) and tails[0] >= 0
    assert tails[-1] == pytest.approx(0.025, abs=1e-6)


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


@pytest.mark.parametrize("chunk", [1, 500, 10**9])
def test_totals_are_sums_over_the_resamples_of_interval(chunk: int, monkeypatch):
    monkeypatch.setattr(bootstrap, "CHUNK", chunk)
    counts = np.random.default_rng(5).integers(0, 4, size=(60, 3)).astype(float)
    seen: list[np.ndarray] = []
    interval(lambda i: seen.append(counts[i].sum(0)) or 0.0, 60, resamples=50, seed=3)
    assert np.array_equal(totals(counts, resamples=50, seed=3), np.array(seen))


def test_bounds_of_means_from_totals_are_those_of_interval():
    values = np.random.default_rng(6).normal(size=40)
    found = bounds(totals(values[:, None])[:, 0] / 40, 40)
    assert found == pytest.approx(interval(lambda i: values[i].mean(), 40), abs=1e-12)


def test_totals_of_many_items_need_little_memory():
    counts = np.ones((200_000, 2))
    tracemalloc.start()
    assert (totals(counts, resamples=100) == 200_000).all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6

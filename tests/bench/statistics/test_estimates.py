"""What an interval holds: items alone with one run, items and seeds with several."""

import numpy as np
import pytest

from bench.statistics.bootstrap import interval, tail
from bench.statistics.estimates import Estimate, estimate, over_seeds_and_items


def mean(totals: np.ndarray) -> np.ndarray:
    return totals[..., 0] / totals[..., 1]


def correct(shares: list[float], count: int = 300) -> tuple:
    """PairedCounts that are right for the first items as counts, (seeds, items, 2), and their mean."""
    right = np.array([[float(item < share * count) for item in range(count)] for share in shares])
    return np.stack([right, np.ones_like(right)], axis=-1), mean


def test_one_run_keeps_its_own_bounds():
    assert estimate([0.8], [(0.7, 0.9)], None) == Estimate(0.8, 0.7, 0.9, "items", 1)


def test_equal_seeds_are_no_wider_and_no_narrower_than_one():
    # Seeds share the items: three equal seeds know no more about other items than one does.
    low, high = over_seeds_and_items(*correct([0.8, 0.8, 0.8]))
    error = np.sqrt(0.8 * 0.2 / 300)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_seeds_that_differ_widen_the_interval():
    same, different = (over_seeds_and_items(*correct(shares)) for shares in ([0.8, 0.8, 0.8], [0.6, 0.8, 1.0]))
    assert different[1] - different[0] > 2 * (same[1] - same[0])


def test_number_that_is_no_mean_is_made_of_the_drawn_items_of_each_drawn_seed():
    counts = np.random.default_rng(0).integers(0, 2, size=(3, 40, 2)).astype(float)
    sums, found = [], over_seeds_and_items(counts, lambda totals: np.exp(totals[..., 0] / (1 + totals[..., 1])))
    interval(lambda i: sums.append(counts[:, i].sum(1)) or 0.0, 40)
    seeds = np.random.default_rng(1)
    samples = [np.mean([np.exp(each[s, 0] / (1 + each[s, 1])) for s in seeds.integers(3, size=3)]) for each in sums]
    assert found == pytest.approx(tuple(np.quantile(samples, [tail(40), 1 - tail(40)])), abs=1e-12)


def test_interval_of_seeds_is_the_same_each_time():
    assert over_seeds_and_items(*correct([0.7, 0.9])) == over_seeds_and_items(*correct([0.7, 0.9]))


def test_weights_enter_the_mean():
    values, weights = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[3.0, 1.0], [3.0, 1.0]])
    found = estimate([0.75, 0.75], [None, None], (np.stack([values * weights, weights], axis=-1), mean))
    assert (found.value, found.basis) == (0.75, "items and seeds")


def test_items_that_do_not_give_the_number_are_not_used():
    found = estimate([0.5, 0.7], [(0.4, 0.6), (0.6, 0.8)], correct([0.8, 0.8]))
    assert found == Estimate(0.6, pytest.approx(0.5), pytest.approx(0.7), "bounds", 2)


def test_bounds_that_are_missing_stay_missing():
    found = estimate([0.5, 0.7], [(0.4, 0.6), None], None)
    assert (found.low, found.high, found.excludes_zero) == (None, None, False)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (0.0, 0.1, False), (0.0, 0.0, False)],
)
def test_excludes_zero(low: float, high: float, expected: bool):
    assert Estimate(0.0, low, high, "items", 1).excludes_zero is expected

"""What an interval holds: items alone with one run, items and seeds with several."""

import numpy as np
import pytest

from reports.intervals import Estimate, estimate, over_seeds_and_items, statement


def correct(shares: list[float], count: int = 300) -> np.ndarray:
    """Answers that are right for the first items, (seeds, items)."""
    return np.array([[float(item < share * count) for item in range(count)] for share in shares])


def test_one_run_keeps_its_own_bounds():
    assert estimate([0.8], [(0.7, 0.9)], None) == Estimate(0.8, 0.7, 0.9, "items", 1)


def test_equal_seeds_are_no_wider_and_no_narrower_than_one():
    # Seeds share the items: three equal seeds know no more about other items than one does.
    low, high = over_seeds_and_items(correct([0.8, 0.8, 0.8]))
    error = np.sqrt(0.8 * 0.2 / 300)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_seeds_that_differ_widen_the_interval():
    same, different = (over_seeds_and_items(correct(shares)) for shares in ([0.8, 0.8, 0.8], [0.6, 0.8, 1.0]))
    assert different[1] - different[0] > 2 * (same[1] - same[0])


def test_interval_of_seeds_is_the_same_each_time():
    assert over_seeds_and_items(correct([0.7, 0.9])) == over_seeds_and_items(correct([0.7, 0.9]))


def test_weights_enter_the_mean():
    found = estimate([0.75, 0.75], [None, None], np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([3.0, 1.0]))
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


def test_statement_names_what_is_held():
    one, several = Estimate(0.5, 0.4, 0.6, "items", 1), Estimate(0.5, 0.4, 0.6, "items and seeds", 3)
    bounds, bare = Estimate(0.5, 0.4, 0.6, "bounds", 3), Estimate(0.5, None, None, "items", 1)
    assert "items alone" in statement([one]) and "seeds is not in them" in statement([one])
    assert "items and seeds" in statement([several]) and "single run" not in statement([several])
    assert "single run hold items alone" in statement([one, several])
    assert "†" in statement([bounds]) and "mean of the seeds' own bounds" in statement([bounds])
    assert statement([bare]) == statement([]) == "No intervals: there are no scores with bounds."

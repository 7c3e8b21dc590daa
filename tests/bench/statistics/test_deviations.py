"""Standard deviations with their intervals, and shares of variance, against scipy and by simulation."""

import numpy as np
import pytest
from scipy import stats

from bench.statistics.deviations import NO_DEVIATION, Deviation, deviation, shares


@pytest.mark.parametrize("count", [2, 5, 30])
def test_the_interval_is_that_of_chi_square(count):
    values = np.random.default_rng(count).normal(0.8, 0.02, count)
    found, variance = deviation(values.tolist()), values.var(ddof=1)
    low, high = stats.chi2(count - 1).ppf([0.975, 0.025])
    assert found.value == pytest.approx(values.std(ddof=1)) and found.freedom == count - 1
    assert found.low == pytest.approx(np.sqrt((count - 1) * variance / low))
    assert found.high == pytest.approx(np.sqrt((count - 1) * variance / high))


def test_equal_numbers_give_no_interval():
    assert deviation([0.3, 0.3, 0.3]) == Deviation(0.0, freedom=2)  # whose computed variance need not be 0


def test_it_holds_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(1)
    found = [deviation(generator.normal(0, 0.02, 5).tolist()) for _ in range(2000)]
    assert np.mean([each.low <= 0.02 <= each.high for each in found]) == pytest.approx(0.95, abs=0.015)


def test_two_shares_have_the_interval_of_an_f_test():
    one, other = deviation([0.1, 0.4, 0.2, 0.9, 0.3]), deviation([0.2, 0.3, 0.35])
    ratio = one.value**2 / other.value**2
    ends = ratio / stats.f(one.freedom, other.freedom).ppf([0.975, 0.025])
    first, second = shares([one, other])
    assert first.value == pytest.approx(ratio / (1 + ratio)) and first.value + second.value == pytest.approx(1)
    assert [first.low, first.high] == pytest.approx(ends / (1 + ends), abs=0.01)
    assert [second.low, second.high] == pytest.approx([1 - first.high, 1 - first.low])


def test_shares_of_three_hold_the_truth_at_least_as_often_as_they_say():
    generator, sds = np.random.default_rng(2), np.array([0.01, 0.02, 0.03])
    truth, held = sds**2 / (sds**2).sum(), []
    for _ in range(300):
        found = shares([deviation(generator.normal(0, sd, 5).tolist()) for sd in sds])
        held.append([each.low <= share <= each.high for each, share in zip(found, truth, strict=True)])
    assert np.mean(held, axis=0).min() > 0.93


def test_what_does_not_scatter_has_no_share():
    still, moved = deviation([0.5, 0.5]), deviation([0.5, 0.6])
    assert shares([]) == shares([still]) == shares([still, NO_DEVIATION]) == []
    # The only one that draws anything has all, and nothing of that is chance.
    first, second = shares([moved, NO_DEVIATION])
    assert (first.value, second.value) == (1, 0) and {each.low for each in (first, second)} == {None}


def test_a_tie_of_few_seeds_gives_nobody_a_share():
    """Planted fault: two parts that make half each, of two seeds on 200 items, were told to make 0 and 100 in half of the
    tables, because one of them had the same score twice."""
    assert shares([deviation([0.8, 0.8]), deviation([0.8, 0.81]), NO_DEVIATION]) == []


def test_shares_are_the_same_each_time():
    parts = [deviation([0.1, 0.3, 0.2]), deviation([0.5, 0.9, 0.4]), deviation([0.2, 0.25, 0.1])]
    assert shares(parts) == shares(parts)

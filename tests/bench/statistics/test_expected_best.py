"""The expected best after k trials: against all samples counted out, against the truth in simulations, and its edges."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.expected_best import best_of

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=4)


@given(first=st.floats(0, 1), sampled=SCORES)
def test_it_is_the_mean_over_all_samples_counted_out(first, sampled):
    for found in best_of(first, sampled):
        searches = product(sampled, repeat=found.trials - 1)
        assert found.expected == pytest.approx(np.mean([max(first, *drawn, first) for drawn in searches]))


@given(first=st.floats(0, 1), sampled=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_more_trials_are_never_expected_to_be_worse(first, sampled):
    found = best_of(first, sampled)
    assert [each.trials for each in found] == list(range(1, len(sampled) + 2))
    for before, after in pairwise(found):
        assert after.expected >= before.expected - 1e-12 and after.low >= before.low
        assert after.high is None or (before.high is not None and after.high >= before.high)
    assert all(first <= each.low and (each.high is None or each.low <= each.high) for each in found)
    assert found[-1].expected <= max(first, *sampled) + 1e-12


def test_a_worked_number():
    """Default .80, draws .70, .84, .60: the best of the default and one draw is .80, .84, .80, on average .8133."""
    one, two, three, four = best_of(0.80, [0.70, 0.84, 0.60])
    assert (one.expected, one.low, one.high) == (0.80, 0.80, 0.80)
    assert two.expected == pytest.approx((0.80 + 0.84 + 0.80) / 3)
    assert three.expected == pytest.approx(0.84 * 5 / 9 + 0.80 * 4 / 9)
    assert four.expected == pytest.approx(0.84 * 19 / 27 + 0.80 * 8 / 27)
    assert four.low == 0.80 and four.high is None  # three draws bound nothing from above


def test_a_trial_without_a_score_is_as_bad_as_the_worst_and_none_at_all_gives_nothing():
    nan_free = best_of(-np.inf, [0.7, -np.inf, 0.9])
    as_the_worst = best_of(0.7, [0.7, 0.7, 0.9])
    # Of a default without a score nothing is said by itself.
    assert [each.trials for each in nan_free] == [2, 3, 4]
    assert [each.expected for each in nan_free] == pytest.approx([each.expected for each in as_the_worst[1:]])
    assert best_of(-np.inf, [-np.inf]) == []
    assert [each.expected for each in best_of(0.5, [])] == [0.5]


@pytest.mark.parametrize(
    "drawn", [stats.norm(0.8, 0.03), stats.beta(8, 2), stats.uniform(0.4, 0.5)], ids=["normal", "skewed", "uniform"]
)
@pytest.mark.parametrize("trials", [4, 8, 32])
def test_the_interval_holds_the_median_best_of_a_search(drawn, trials):
    """In 4,000 simulated searches the share of intervals that hold the truth is .95 or more, whatever the distribution; and
    a bootstrap's could not be, as the best trial lies below the truth half of the time."""
    random = np.random.default_rng(0)
    searches = drawn.rvs(size=(4000, trials), random_state=random)
    floor = drawn.ppf(0.2)
    found = [best_of(floor, search) for search in searches]
    for k in range(2, trials + 2):
        truth = max(floor, drawn.ppf(2 ** (-1 / (k - 1))))
        held = np.mean([each[k - 1].low <= truth and (each[k - 1].high or np.inf) >= truth for each in found])
        assert held >= 0.942, k  # .95 less two and a half standard errors
    assert np.mean(searches.max(1) < drawn.ppf(2 ** (-1 / trials))) == pytest.approx(0.5, abs=0.03)


def test_the_estimate_comes_near_the_truth_with_many_trials():
    """The mean of the best of k draws from a uniform distribution is k / (k + 1)."""
    found = best_of(0.0, np.random.default_rng(1).uniform(size=4000))
    for k in (1, 2, 4, 8):
        assert found[k].expected == pytest.approx(k / (k + 1), abs=0.01)

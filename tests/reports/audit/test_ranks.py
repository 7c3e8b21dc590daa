"""Places and p values by the audit's own loops, against scipy and the engine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked_rows import estimates_and_rivals, rival
from scipy.stats import ttest_1samp, ttest_rel

from bench.statistics import comparison
from bench.statistics.comparison import beats, pairs, ranks
from bench.statistics.intervals import Spread
from reports.audit.leaving_out import SeedVariance, bounds
from reports.audit.ranks import holm_by_steps, p_of_row, places_of


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=12))
def test_holm_is_the_engines(ps):
    assert holm_by_steps(ps) == pytest.approx(comparison.holm(np.array(ps)))


def test_holm_of_three():
    """By hand: .01 x 3, .03 x 2, and .04 x 1, which is not below the one before it."""
    assert holm_by_steps([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


@given(st.integers(0, 10_000))
def test_one_seed_on_single_items_is_a_t_test(seed):
    drawn = np.random.default_rng(seed)
    one, other = drawn.normal(0.3, 1, (2, 30))
    assert p_of_row(rival([one])) == pytest.approx(ttest_1samp(one, 0).pvalue, rel=1e-9)
    # Two rows apart at .05, which needs no correction for one pair.
    held = places_of({"one": rival([one]), "other": rival([other])}, higher_is_better=True)
    apart = ttest_rel(one, other).pvalue <= 0.05
    assert (sorted(held.values()) == [1, 1, 2, 2]) == bool(apart) or not apart
    if apart:
        first = "one" if one.mean() > other.mean() else "other"
        assert held["places", first, "worst"] == 1
    else:
        assert [held["places", name, "worst"] for name in ("one", "other")] == [2, 2]


def both(values_by_row, spreads):
    """The engine's places and the audit's, of the same numbers."""
    estimates, rivals = estimates_and_rivals(values_by_row, spreads)
    better = beats(len(estimates), pairs(estimates))
    audited = places_of(rivals, higher_is_better=True)
    return ranks(len(estimates), better), [
        tuple(int(audited["places", str(name), end]) for end in ("best", "worst")) for name in range(len(estimates))
    ]


@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans())
def test_places_are_the_engines(seed, seeds, alike):
    """Of rows with few seeds, many seeds, one seed, and with seeds of another kind."""
    drawn = np.random.default_rng(seed)
    rows = [drawn.normal(shift, 1, (seeds, 20)) + drawn.normal(0, 0.2, (seeds, 1)) for shift in drawn.normal(0, 0.8, 4)]
    of_training = Spread(0.04, 4 * (seeds - 1)) if seeds > 1 else Spread()
    engine, audited = both(rows, [of_training if alike or number else Spread() for number in range(4)])
    assert audited == engine


def test_equal_scores_that_err_on_different_items_are_not_apart():
    """Without a variance of their own nothing would be too small to be found."""
    engine, audited = both([np.eye(4)[:2], np.eye(4)[2:] * 1.0], [Spread(0.0, 2)] * 2)
    assert audited == engine == [(1, 2), (1, 2)]


def test_three_seeds_that_tie_by_errors_of_their_own_are_not_certain():
    """Of three times .95 rounding leaves a variance of 1e-32 over seeds, with which nothing else was looked for."""
    rows = [np.ones((3, 20)) for _ in range(2)]
    for row, first in zip(rows, (0, 6), strict=True):
        for seed in range(3):
            row[seed, first + seed] = 0.0
    rows[1][:, 19] = 0.0
    engine, audited = both(rows, [Spread(0.0, 4)] * 2)
    assert audited == engine == [(1, 2), (1, 2)]
    ends = bounds(list(rival(rows[0]).runs), SeedVariance(0.0, 4))
    assert ends[0] < 0.94 < 0.96 < ends[1]


def test_items_that_all_move_alike_say_no_more_than_their_number():
    assert p_of_row(rival([[1.0] * 6])) == 2.0**-5


def test_rows_that_were_asked_other_items_get_no_places():
    assert places_of({"one": rival([[1.0, 2.0]]), "other": rival([[5.0, 9.0]], asked="others")}, higher_is_better=True) == {}

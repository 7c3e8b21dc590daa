"""Many looks are corrected, and ranks say no more than the pairs do."""

import numpy as np
import pytest

from bench.statistics import comparison
from bench.statistics.comparison import holm, ranks, top_group
from bench.statistics.intervals import Spread
from bench.statistics.jackknife import clusters_of, of_counts


def test_holm_by_hand():
    # Sorted .01, .02, .03, .04 times 4, 3, 2, 1, never falling: .04, .06, .06, .06.
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0]) and holm(np.array([0.04])) == [0.04]


def test_holm_of_many_families_at_once():
    ps = np.random.default_rng(0).random((5, 4))
    assert holm(ps) == pytest.approx(np.array([holm(row) for row in ps]))


def accurate(shares: list[float], items: int = 1000):
    ease = np.random.default_rng(1).random(items)
    values = np.array([[ease < share] * 2 for share in shares], dtype=float)
    return [
        of_counts(np.stack([row, np.ones_like(row)], -1), lambda t: t[..., 0] / t[..., 1], clusters_of(None, items))
        for row in values
    ]


def test_clear_differences_are_found_and_ranked():
    rows = accurate([0.6, 0.9, 0.61])
    found = comparison.pairs(rows, Spread(1e-5, 3))
    assert [(each.one, each.other) for each in found] == [(0, 1), (0, 2), (1, 2)]
    assert [each.significant for each in found] == [True, False, True]
    assert all(each.low < each.value < each.high for each in found)
    better = comparison.beats(3, found)
    assert better.sum() == 2 and better[1, 0] and better[1, 2]
    places = ranks(3, better)
    assert places == [(2, 3), (1, 1), (2, 3)] and top_group(places) == [1]
    # Where a lower number is better, the other end is the top.
    assert top_group(ranks(3, comparison.beats(3, found, higher_is_better=False))) == [0, 2]


def test_ranks_where_not_different_is_not_transitive():
    better = np.zeros((3, 3), dtype=bool)
    better[0, 2] = True
    assert ranks(3, better) == [(1, 2), (1, 3), (2, 3)] and top_group(ranks(3, better)) == [0, 1]


def test_seeds_that_vary_hide_a_difference():
    rows = accurate([0.80, 0.84])
    assert comparison.pairs(rows, Spread(1e-6, 2))[0].significant
    assert not comparison.pairs(rows, Spread(0.02**2, 2))[0].significant

"""Redrawn tables vary as their intervals say, and the frontier is counted."""

from dataclasses import replace

import numpy as np
import pytest

from bench.statistics.comparison import pairs
from bench.statistics.draws import redrawn, unbeaten_share
from bench.statistics.estimates import Estimate, estimate
from bench.statistics.intervals import NO_SPREAD, Spread, of_row
from bench.statistics.jackknife import of_counts


def estimates(right, clusters, spread):
    clusters = replace(clusters, asked=1)
    rows = [of_counts(np.stack([row, np.ones_like(row)], -1), lambda t: t[..., 0] / t[..., 1], clusters) for row in right]
    return [estimate(row.values.tolist(), [None] * len(row.values), row, spread) for row in rows]


def test_rows_move_together_over_items_as_their_answers_do(answered):
    right, _, clusters = answered(2, 1, 500)
    rows = estimates(right, clusters, NO_SPREAD)
    drawn = redrawn(rows, 20_000, np.random.default_rng(0))
    assert drawn.mean(0) == pytest.approx([row.value for row in rows], abs=0.001)
    assert np.cov(drawn.T)[0, 1] == pytest.approx(np.cov(right[0, 0], right[1, 0])[0, 1] / 500, rel=0.05)
    # The variance of the difference is that of the paired comparison.
    assert (drawn[:, 0] - drawn[:, 1]).var() == pytest.approx(pairs(rows)[0].margin.items, rel=0.05)


def test_seeds_move_each_row_by_itself(answered):
    right, _, clusters = answered(2, 3, 500)
    rows = estimates(right, clusters, Spread(0.02**2, 30))
    still, moved = (
        redrawn(each, 20_000, np.random.default_rng(0)) for each in (estimates(right, clusters, Spread(0.0, 30)), rows)
    )
    added = of_row(rows[0].answered, rows[0].spread).seeds * 30 / 28  # the variance of Student's t
    own = of_row(rows[0].answered, Spread(0.0, 30)).seeds * 30 / 28
    assert moved.var(0)[0] - still.var(0)[0] == pytest.approx(added - own, rel=0.15)


def test_bounds_alone_and_none():
    drawn = redrawn(
        [Estimate(0.5, 0.4, 0.6, "items", 1), Estimate(0.7, None, None, "items", 1)], 20_000, np.random.default_rng(0)
    )
    assert drawn.std(0) == pytest.approx([0.1 / 1.96, 0.0], rel=0.03)


def test_frontier_by_hand():
    gains = np.array([[0.2, 0.1, 0.1, 0.3], [0.2, 0.1, 0.1, 0.2]])
    prices = np.array([[0.2, 0.1, 0.2, 0.3], [0.2, 0.1, 0.2, 0.2]])
    # The third is beaten by the second in both draws; equal places do not beat each other.
    assert unbeaten_share(gains, prices) == pytest.approx([1.0, 1.0, 0.0, 1.0])
    assert unbeaten_share(np.array([[0.3, 0.1]]), np.array([[0.1, 0.2]])) == pytest.approx([1.0, 0.0])


def test_a_row_that_is_as_good_as_another_is_on_the_frontier_half_of_the_time():
    """Two rows at one price whose gains have the same truth."""
    rows = [Estimate(0.5, 0.4, 0.6, "items", 1)] * 2
    gains = redrawn(rows, 20_000, np.random.default_rng(0))
    assert unbeaten_share(gains, np.ones_like(gains)) == pytest.approx([0.5, 0.5], abs=0.02)

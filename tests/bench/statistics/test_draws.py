"""Redrawn tables vary as their intervals say, and the frontier is counted."""

from dataclasses import replace

import numpy as np
import pytest

from bench.statistics.comparison import pairs
from bench.statistics.draws import _covariance_root, redrawn, unbeaten_share
from bench.statistics.estimates import Estimate, estimate
from bench.statistics.intervals import NO_SPREAD, Spread, of_row
from bench.statistics.jackknife import of_counts


def estimates(right, clusters, spread):
    clusters = replace(clusters, items_hash=1)
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


def test_rows_that_answer_alike_are_level_in_every_draw(answered):
    """Planted fault: rounding broke the tie, and one of the two was beaten in half of the draws."""
    right, _, clusters = answered(2, 1, 500)
    gains = redrawn(estimates([right[0], right[0], right[1]], clusters, NO_SPREAD), 1000, np.random.default_rng(0))
    assert gains[:, 0] == pytest.approx(gains[:, 1], abs=1e-14)
    one, other, _ = unbeaten_share(gains, np.ones_like(gains))
    assert one == other and unbeaten_share(gains[:, :2], np.ones((1000, 2))) == pytest.approx([1.0, 1.0])


def of_size(estimate, factor):
    """The same row in another unit."""
    return replace(estimate * factor, value=estimate.value * factor)


def test_draws_do_not_hang_on_last_digits(answered):
    """Rows that vary alike have axes that any rounding turns around; a sum in another order must give the same draws."""
    right, _, clusters = answered(1, 1, 500)
    rows = estimates([right[0], np.roll(right[0], 7, axis=-1), np.roll(right[0], 91, axis=-1)], clusters, NO_SPREAD)
    rounded = [of_size(of_size(row, 1 / 3), 3.0) for row in rows]
    one, other = (redrawn(each, 1000, np.random.default_rng(0)) for each in (rows, rounded))
    assert one == pytest.approx(other, abs=1e-12)


def test_a_row_of_another_size_leaves_the_others_their_variance(answered):
    """Planted fault: beside a perplexity of a million the rows of ten stood still, and two that answer alike were no longer
    level."""
    right, _, clusters = answered(2, 1, 500)
    plain = estimates([right[0], right[0], right[1]], clusters, NO_SPREAD)
    drawn = redrawn([*plain[:2], of_size(plain[2], 1e8)], 4000, np.random.default_rng(0))
    assert drawn[:, 0].std() == pytest.approx(float(of_row(plain[0].answered).items) ** 0.5, rel=0.05)
    one, other = unbeaten_share(drawn[:, :2], np.ones((4000, 2)))
    assert one == other == 1.0


def test_rows_keep_their_variances_where_estimates_contradict_each_other():
    """Three correlations that no three numbers have, and a row without a variance that covaries all the same."""
    told = np.array([[4.0, 2.0, -2.0, 0.5], [2.0, 1.0, 1.0, 0.5], [-2.0, 1.0, 1.0, 0.5], [0.5, 0.5, 0.5, 0.0]])
    moving = _covariance_root(told)
    assert np.diag(moving.T @ moving) == pytest.approx([4.0, 1.0, 1.0, 0.0])
    possible = np.array([[4.0, 1.0], [1.0, 1.0]])
    assert _covariance_root(possible).T @ _covariance_root(possible) == pytest.approx(possible)

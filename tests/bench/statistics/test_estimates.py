"""What an interval holds: items alone with one run, items and seeds with several."""

import numpy as np
import pytest
from scipy import stats

from bench.statistics.comparison import margin_between
from bench.statistics.estimates import Estimate, estimate, margin_over_seeds, over_seeds_alone
from bench.statistics.intervals import NO_SPREAD, Spread
from bench.statistics.jackknife import Jackknifed, clusters_of, of_counts


def correct(shares: list[float], count: int = 300, labels: list | None = None) -> Jackknifed:
    """Seeds that are right for the first items."""
    right = np.array([[float(item < share * count) for item in range(count)] for share in shares])
    counts = np.stack([right, np.ones_like(right)], axis=-1)
    return of_counts(counts, lambda totals: totals[..., 0] / totals[..., 1], clusters_of(labels, count))


def width(found: Estimate) -> float:
    return found.high - found.low


def test_one_run_without_answers_keeps_its_own_bounds():
    found = estimate([0.8], [(0.7, 0.9)])
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.7, 0.9))
    assert (found.basis, found.runs, found.seed_sd) == ("items", 1, None)


def test_equal_seeds_are_no_wider_and_no_narrower_than_one():
    # Seeds share the items: three equal seeds know no more about other items than one does.
    one, three = (estimate([0.8] * count, [None] * count, correct([0.8] * count), scale="wilson") for count in (1, 3))
    assert width(three) == pytest.approx(width(one)) == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 300), rel=0.02)
    assert (one.basis, three.basis, three.seed_sd) == ("items", "items and seeds", pytest.approx(0))


def test_seeds_that_differ_widen_the_interval():
    same, different = (estimate(shares, [None] * 3, correct(shares)) for shares in ([0.8, 0.8, 0.8], [0.7, 0.8, 0.9]))
    assert width(different) > 2 * width(same) and different.seed_sd == pytest.approx(0.1)
    # Three seeds of their own have 2 degrees of freedom, those of a table more.
    assert width(estimate([0.7, 0.8, 0.9], [None] * 3, correct([0.7, 0.8, 0.9]), Spread(0.01, 10))) < width(different)


def test_seeds_of_the_table_widen_a_row_of_one_seed():
    alone, beside = (estimate([0.8], [None], correct([0.8]), spread) for spread in (Spread(), Spread(0.02**2, 8)))
    assert width(beside) > width(alone) and (alone.basis, beside.basis) == ("items", "items and seeds")


def test_without_answers_the_runs_bounds_and_the_seeds_add_in_squares():
    found = estimate([0.5, 0.7], [(0.4, 0.65), (0.6, 0.8)])
    seeds = stats.t.ppf(0.975, 1) * np.sqrt(0.02 / 2)
    assert found.value == pytest.approx(0.6) and found.basis == "bounds"
    assert (found.low, found.high) == pytest.approx((0.6 - np.hypot(seeds, 0.1), 0.6 + np.hypot(seeds, 0.125)))


def test_a_table_s_seed_variance_widens_bounds_that_were_made_without_it():
    """Planted fault: in a comparison with accepted runs, one new seed without answers per item kept its items' bounds alone."""
    alone, spread = estimate([0.6], [(0.55, 0.65)]), Spread(0.1**2, 3)
    seeds = stats.t.ppf(0.975, 3) * 0.1
    beside = alone.in_table_of(spread)
    assert (beside.low, beside.high) == pytest.approx((0.6 - np.hypot(seeds, 0.05), 0.6 + np.hypot(seeds, 0.05)))
    assert beside == estimate([0.6], [(0.55, 0.65)], spread=spread) and beside.in_table_of(Spread()) == alone
    twice = (alone * 2).in_table_of(Spread(0.2**2, 3))
    assert (twice.low, twice.high) == pytest.approx((2 * beside.low, 2 * beside.high))


def test_a_table_s_seed_variance_widens_answers_that_are_held_against_bounds():
    """Planted fault: where the other side of a comparison had no answers, one seed with answers kept its items' bounds."""
    spread = Spread(0.1**2, 3)
    alone, beside = (estimate([0.6], [None], correct([0.6]), known, "wilson") for known in (Spread(), spread))
    moved = alone.in_table_of(spread)
    assert (moved.low, moved.high) == (beside.low, beside.high) and width(moved) > 2 * width(alone)
    bare = estimate([0.5], [(0.45, 0.55)], spread=spread)
    assert margin_between(moved, bare).items == pytest.approx(margin_between(beside, bare).items)


def test_a_percentage_without_answers_stays_inside():
    found = estimate([95.0, 99.0], [(90.0, 99.0), (98.0, 100.0)], scale="percent")
    assert found.high == 100 and 0 < found.low < 95


def test_share_without_answers_stays_inside():
    found = estimate([0.95, 0.99], [(0.9, 0.99), (0.98, 1.0)], scale="logit")
    assert found.high == 1 and 0 < found.low < 0.95


def test_answers_that_do_not_give_the_number_are_not_used():
    found = estimate([0.5, 0.7], [(0.4, 0.6), (0.6, 0.8)], correct([0.8, 0.8]))
    assert found.basis == "bounds" and found.value == pytest.approx(0.6)


def test_bounds_that_are_missing_stay_missing():
    found = estimate([0.5, 0.7], [(0.4, 0.6), None])
    assert (found.low, found.high, found.significant, found.verdict) == (None, None, False, None)


def test_p_agrees_with_the_interval():
    lost = correct([0.1])
    for shift in (0.02, 0.05, 0.09):
        moved = Jackknifed(lost.values - shift, lost.shifts, lost.freedom, lost.clusters)
        for answered in (moved, None):
            found = estimate([0.1 - shift], [(0.1 - shift - 0.034, 0.1 - shift + 0.034)], answered)
            assert found.significant == (found.p <= 0.05) == (found.low > 0)
    assert estimate([0.8], [None], correct([0.8]), scale="wilson").p is None


@pytest.mark.parametrize(("low", "high", "significant"), [(0.01, 0.6, True), (-0.01, 0.12, False)])
def test_of_bounds_of_unlike_width_the_one_beside_zero_tells(low, high, significant):
    for sign in (1, -1):
        found = estimate([sign * 0.1], [tuple(sorted((sign * low, sign * high)))])
        assert found.significant is (found.p <= 0.05) is significant


def test_whole_clusters_widen_and_few_claim_nothing_of_new_ones():
    films = [f"film {n // 10}" for n in range(300)]
    apart, whole = (estimate([0.8], [None], correct([0.8], labels=labels)) for labels in (None, films))
    assert width(whole) > 2 * width(apart) and whole.clusters == 30 and apart.clusters is None and not whole.few_clusters
    few = estimate([0.8], [None], correct([0.8], labels=[n // 60 for n in range(300)]))
    assert few.few_clusters and few.clusters == 5 and width(few) == pytest.approx(width(apart))


def test_clusters_are_told_by_what_the_number_rests_on():
    """Ten films of thirty items, of which one has half of the weight: 1 / (.5^2 + 9 (.5 / 9)^2) say as much."""
    weights = np.where(np.arange(300) < 30, 9.0, 1.0)[None]
    counts = np.stack([weights * (np.arange(300) % 7 > 0), weights], axis=-1)
    films = clusters_of([f"film {n // 30}" for n in range(300)], 300)
    answered = of_counts(counts, lambda totals: totals[..., 0] / totals[..., 1], films, weights)
    found = estimate([float(answered.values[0])], [None], answered)
    assert found.clusters == pytest.approx(3.6) and films.effective == 10 and not found.few_clusters


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (0.0, 0.1, False), (0.0, 0.0, False)],
)
def test_significant(low: float, high: float, expected: bool):
    assert Estimate(0.0, low, high, "items", 1).significant is expected


def test_verdict_follows_the_corrected_p():
    assert Estimate(0.1, 0.02, 0.2, "items", 1).verdict == "loss" and Estimate(-0.1, -0.2, -0.02, "items", 1).verdict == "gain"
    assert Estimate(0.1, 0.02, 0.2, "items", 1, p=0.06).verdict == "none"


def test_seeds_alone_by_hand():
    """Numbers .1 and .3 (variance .02) and, in the table's other row, 0 and .1 (.005): .0125 with 2 degrees of freedom."""
    table = [[0.1, 0.3], [0.0, 0.1]]
    assert margin_over_seeds(table[0], table).seeds == pytest.approx(0.02 / 2)
    calm = margin_over_seeds(table[1], table)
    assert calm.seeds == pytest.approx(0.0125 / 2) and calm.half_width() == pytest.approx(stats.t.ppf(0.975, 2) * 0.00625**0.5)
    assert margin_over_seeds([0.2], table).seeds == pytest.approx(0.0125) and margin_over_seeds([0.2], [[0.2]]) is None


def test_a_mean_over_seeds_alone_has_the_tables_interval():
    """By hand: the table's variance of .0125 with 3 degrees of freedom, and the row's own where that is larger."""
    spread = Spread(0.0125, 3)
    one = over_seeds_alone([0.2], spread)
    assert (one.low, one.high) == pytest.approx((0.2 - 3.18245 * 0.0125**0.5, 0.2 + 3.18245 * 0.0125**0.5), rel=1e-5)
    wide = over_seeds_alone([0.2, 0.6], spread)
    assert wide.high - wide.value == pytest.approx(3.18245 * (0.08 / 2) ** 0.5, rel=1e-5) and wide.basis == "seeds"
    assert (over_seeds_alone([0.2], NO_SPREAD).low, over_seeds_alone([0.2], NO_SPREAD).high) == (None, None)
    inside = over_seeds_alone([0.97, 0.99], spread, "logit")
    assert 0 < inside.low < 0.98 < inside.high < 1

"""A pilot's variances, what larger studies would find by them, and that they do."""

from dataclasses import replace

import numpy as np
import pytest

from bench.statistics.bars import planted_share
from bench.statistics.detectable import detectable
from bench.statistics.jackknife import of_counts
from bench.statistics.simulated import likeness
from bench.statistics.study_size import Pilot, pilot

PLAIN = Pilot(rows=5, items=872, sigma2=0.02**2, own=0.079, shared=0.038, freedom=10, effective=1.0, pairs=10, share=0.85)


def jackknifed(right, clusters):
    return [of_counts(np.stack([row, np.ones_like(row)], -1), lambda t: t[..., 0] / t[..., 1], clusters) for row in right]


def test_figures_of_the_design():
    """K = 5, S = 3, accuracy .85: 4.2 points (872 items, SD 0), 8.7 (SD .02), 3.3 (2,000 items, SD .005), within .2 points: the
    design's model has another share of own chance."""
    found = [replace(PLAIN, sigma2=sd**2).smallest(3, items) for sd, items in ((0.0, 872), (0.02, 872), (0.005, 2000))]
    assert found == pytest.approx([0.042, 0.087, 0.033], abs=0.002)


def test_a_pilot_s_parts_make_its_own_variances_again(answered):
    right, _, clusters = answered(4, 3, 600, sigma=0.2)
    rows = jackknifed(right, clusters)
    found = pilot(rows, 6, 0.85)
    margin = found.margin(3, 600)
    assert (found.rows, found.freedom, found.items, margin.item_freedom) == (4, 8, 600, 599)
    # The variance over seeds is the table's, whatever part of it is the answers' own chance.
    assert margin.seeds == pytest.approx(2 * np.mean([row.values.var(ddof=1) for row in rows]) / 3)
    # Own chance by another way: the variance of an item's answers over seeds.
    assert found.own == pytest.approx(right.var(1, ddof=1).mean(), rel=0.02)
    # Two rows' means over seeds differ by that over items, and by a third of both rows' own chance.
    differing = np.mean([np.var(right.mean(1)[a] - right.mean(1)[b]) for a in range(4) for b in range(a)])
    assert found.shared == pytest.approx(differing - 2 * found.own / 3, rel=0.02)


def test_more_items_and_more_seeds_find_less_down_to_the_floor():
    by_items = [PLAIN.smallest(3, items) for items in (100, 1000, 10_000, 10**9)]
    assert by_items == sorted(by_items, reverse=True) and by_items[-1] == pytest.approx(PLAIN.smallest(3), rel=1e-3)
    assert PLAIN.smallest(3) > PLAIN.smallest(10) > 0
    # The floor is what a table says of itself, however few items it has. Planted fault: with 100 it was 12.9 points for 7.5.
    for items in (100, 872, 1e9):
        assert detectable(PLAIN.margin(3, items), 10, 0.85).floor == pytest.approx(PLAIN.smallest(3), rel=1e-3)


def test_items_are_the_fewest():
    items = PLAIN.items_for(0.04, 10)
    assert PLAIN.smallest(10, items) <= 0.04 < PLAIN.smallest(10, items - 1)
    assert PLAIN.items_for(0.02, 2) is None and PLAIN.items_for(0.02, 3) is None
    # Planted fault: it was never fewer than three.
    quiet = replace(PLAIN, sigma2=0.0, own=0.0, shared=1e-9, share=None)
    assert quiet.smallest(10, 2) <= 0.04 and quiet.items_for(0.04, 10) == 2


def test_a_difference_beyond_a_low_score_is_not_found_by_any_three_items():
    """Planted fault: with a score of .04, three items were said to find 5 points."""
    low = replace(PLAIN, sigma2=0.005**2, own=0.03, shared=0.03, share=0.04)
    items = low.items_for(0.05, 10)
    assert items > 100 and low.smallest(10, items) <= 0.05 < low.smallest(10, items - 1)


def test_ends_hold_the_pilot():
    few, many = PLAIN.ends()
    assert few.sigma2 < PLAIN.sigma2 < many.sigma2 and few.smallest(3) < PLAIN.smallest(3) < many.smallest(3)


def test_clusters_count_as_the_pilot_has_them(answered):
    right, _, clusters = answered(2, 2, 400, clusters=40)
    found = pilot(jackknifed(right, clusters), 1, 0.8)
    assert found.effective == pytest.approx(clusters.effective / 400) and found.margin(2, 400).item_freedom < 40


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "difference"), [(5, 0.06), (10, 0.04)])
def test_a_study_of_that_size_finds_the_difference_four_times_out_of_five(answered, seeds, difference):
    """From a pilot of 3 seeds to tables of more seeds and other items, drawn in its likeness."""
    right, base, clusters = answered(4, 3, 600, sigma=0.1)
    of = likeness(right, base, clusters)
    score = float(of.truths.mean())
    equal = of.of(range(4), [score] * 4)
    planned = pilot(jackknifed(right, clusters), 6, score)
    items = planned.items_for(difference, seeds)
    assert items is not None
    share = planted_share(replace(equal, seeds=seeds), difference, items, 800, np.random.default_rng(0))
    assert share == pytest.approx(0.8, abs=0.06)

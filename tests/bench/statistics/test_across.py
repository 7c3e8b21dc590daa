"""Several tasks together: by hand, by Demsar's tables, and what the bootstrap of few seeds keeps."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import binom, trim_mean

from bench.statistics.across import average_ranks, critical_difference, interquartile_mean, stratified_bounds


def test_the_middle_half_is_averaged():
    # Sorted 0 1 2 3 4 5 6 100: the middle four are 2 3 4 5.
    assert interquartile_mean([np.array([100.0, 0, 1, 2]), np.array([3.0, 4, 5, 6])]) == 3.5


def test_a_task_with_more_seeds_counts_no_more():
    """As where a seed of the other has failed."""
    few, many = np.array([0.2, 0.4]), np.array([0.9, 0.7, 0.8, 0.6])
    assert interquartile_mean([few, many]) == interquartile_mean([np.repeat(few, 2), many]) == pytest.approx(0.525)
    low, high = stratified_bounds([few, many])
    assert low < 0.525 < high


@pytest.mark.parametrize("seeds", [1, 2, 3, 4, 5])
def test_a_row_with_more_seeds_has_no_other_mean(seeds):
    """Planted fault: rows of the very same scores stood at .37, .31 and .24 with one, two and four seeds, as rliable's whole
    scores have it. By hand: of three tasks the middle one counts whole, and a quarter of each other."""
    scores = [0.1, 0.2, 0.81]
    expected = (0.25 * 0.1 + 0.2 + 0.25 * 0.81) / 1.5
    assert interquartile_mean([np.full(seeds, score) for score in scores]) == pytest.approx(expected)


def test_unlike_numbers_of_seeds_are_weighed_and_not_repeated():
    """Of 10, 9, 8 and 7 seeds each score was repeated 252 to 360 times four times over, in 2 GB for the draws of one row."""
    generator = np.random.default_rng(0)
    tasks = [generator.random(seeds) for seeds in (10, 9, 8, 7)]
    repeated = np.concatenate([np.repeat(task, 4 * 2520 // len(task)) for task in tasks])
    assert interquartile_mean(tasks) == pytest.approx(trim_mean(repeated, 0.25), rel=1e-12)


@pytest.mark.parametrize(("rows", "tasks", "expected"), [(4, 14, 1.25), (5, 30, 1.11), (2, 6, 0.80), (10, 20, 3.03)])
def test_critical_differences_of_the_paper_s_table(rows, tasks, expected):
    """Demsar 2006: q.05 is 1.960, 2.569, 2.728 and 3.164 for 2, 4, 5 and 10 classifiers; 4 of them on 14 sets give 1.25."""
    assert critical_difference(rows, tasks) == pytest.approx(expected, abs=0.006)


def test_average_ranks_share_ties():
    scores = np.array([[0.9, 0.8, 0.7], [0.8, 0.8, 0.9], [0.7, 0.1, 0.8]])
    assert average_ranks(scores) == pytest.approx([(1 + 1.5 + 3) / 3, (2 + 1.5 + 1) / 3, (3 + 3 + 2) / 3])


def test_equal_rows_are_seldom_farther_apart_than_the_critical_difference():
    generator = np.random.default_rng(0)
    far = critical_difference(5, 10)
    found = [np.ptp(average_ranks(generator.random((5, 10)))) > far for _ in range(2000)]
    assert 0.02 < np.mean(found) < 0.06


@pytest.mark.parametrize("tasks", range(1, 30))
def test_two_equal_rows_are_told_apart_in_at_most_5_of_100_tables(tasks):
    """Exact, by the binomial distribution. Planted fault: with four tasks it was 12.5, and whoever led on all four had won."""
    ahead = np.arange(tasks + 1)
    apart = np.abs(tasks - 2 * ahead) / tasks > critical_difference(2, tasks)
    assert binom.pmf(ahead, tasks, 0.5)[apart].sum() <= 0.05
    assert apart.any() == (tasks >= 6)


def test_seeds_are_redrawn_within_their_task():
    # Tasks that are far apart, and seeds that are alike: nothing varies, since no task is left out.
    assert stratified_bounds([np.array([0.1, 0.1]), np.array([0.9, 0.9])]) == pytest.approx((0.5, 0.5))
    low, high = stratified_bounds([np.array([0.1, 0.3, 0.2, 0.2]), np.array([0.4, 0.5, 0.6, 0.5])])
    assert low < interquartile_mean([np.array([0.1, 0.3, 0.2, 0.2]), np.array([0.4, 0.5, 0.6, 0.5])]) < high
    assert stratified_bounds([np.array([0.1]), np.array([0.2])]) is None


def test_the_interval_is_too_narrow_with_few_seeds():
    """As its definition says: normal scores of 4 tasks; it holds the truth in about .8 of the cases with 2 seeds, .9 with 5."""
    generator, held = np.random.default_rng(0), {}
    for seeds in (2, 10):
        drawn = generator.normal(0.5, 0.05, (150, 4, seeds))
        bounds = [stratified_bounds(list(table)) for table in drawn]
        held[seeds] = np.mean([low <= 0.5 <= high for low, high in bounds])
    assert held[2] < 0.9 and held[2] < held[10] and held[10] > 0.85


def test_the_same_seeds_in_another_order_are_a_tie():
    seeds = (0.1, 0.2, 0.3)
    # One after the other: from Python 3.12 on `sum` makes up for what is rounded away.
    means = np.array([[(a + b + c) / 3] * 2 for a, b, c in permutations(seeds)])
    assert len(set(means[:, 0])) > 1, "they differ in the last bit"
    assert average_ranks(means).tolist() == [3.5] * 6

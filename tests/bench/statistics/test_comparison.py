"""Many looks are corrected, and ranks say no more than the pairs do."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t, ttest_rel

from bench.statistics import comparison
from bench.statistics.comparison import holm, ranks, top_group
from bench.statistics.estimates import Estimate, estimate
from bench.statistics.intervals import NO_SPREAD, Margin, Spread
from bench.statistics.jackknife import clusters_of, of_counts


def test_holm_by_hand():
    # Sorted .01, .02, .03, .04 times 4, 3, 2, 1, never falling: .04, .06, .06, .06.
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0]) and holm(np.array([0.04])) == [0.04]


def test_holm_of_many_families_at_once():
    ps = np.random.default_rng(0).random((5, 4))
    assert holm(ps) == pytest.approx(np.array([holm(row) for row in ps]))


def answers(values: np.ndarray, asked: int = 1):
    """Accuracy of the seeds of a row, (seeds, items) of 0 and 1."""
    clusters = replace(clusters_of(None, values.shape[-1]), items_hash=asked)
    return of_counts(np.stack([values, np.ones_like(values)], -1), lambda t: t[..., 0] / t[..., 1], clusters)


def estimates(rows: list[np.ndarray], spread: Spread, asked: int = 1):
    answered = [answers(row, asked) for row in rows]
    return [estimate(each.values.tolist(), [None] * len(each.values), each, spread, "wilson") for each in answered]


def accurate(shares: list[float], spread: Spread, items: int = 1000):
    ease = np.random.default_rng(1).random(items)
    return estimates([np.array([ease < share] * 2, dtype=float) for share in shares], spread)


def test_clear_differences_are_found_and_ranked():
    found = comparison.pairs(accurate([0.6, 0.9, 0.61], Spread(1e-5, 3)))
    assert [(each.one, each.other) for each in found] == [(0, 1), (0, 2), (1, 2)]
    assert [each.significant for each in found] == [True, False, True]
    assert all(each.low < each.value < each.high and each.paired for each in found)
    better = comparison.beats(3, found)
    assert better.sum() == 2 and better[1, 0] and better[1, 2]
    places = ranks(3, better)
    assert places == [(2, 3), (1, 1), (2, 3)] and top_group(places) == [1]
    # Where a lower number is better, the other end is the top.
    assert top_group(ranks(3, comparison.beats(3, found, higher_is_better=False))) == [0, 2]
    assert comparison.pairs(accurate([0.6], Spread())) == []


def test_one_seed_is_the_paired_t_test():
    generator = np.random.default_rng(3)
    rows = [(generator.random((1, 300)) < share).astype(float) for share in (0.7, 0.78, 0.74)]
    found = comparison.pairs(estimates(rows, NO_SPREAD))
    raw = [ttest_rel(rows[each.one][0], rows[each.other][0]) for each in found]
    smallest, middle, largest = sorted(test.pvalue for test in raw)
    corrected = [3 * smallest, max(3 * smallest, 2 * middle), max(3 * smallest, 2 * middle, largest)]
    assert sorted(each.p for each in found) == pytest.approx([min(p, 1.0) for p in corrected])
    bounds = [test.confidence_interval() for test in raw]
    assert [(each.low, each.high) for each in found] == [pytest.approx((each.low, each.high)) for each in bounds]


def test_rows_that_answered_other_items_are_unpaired():
    values = [np.array([np.arange(400) < 400 * share] * 2, dtype=float) for share in (0.70, 0.76)]
    one, other = (estimates([row], Spread(1e-9, 4), asked)[0] for asked, row in enumerate(values))
    (found,) = comparison.pairs([one, other])
    assert not found.paired and not found.significant
    assert found.high - found.value == pytest.approx(np.hypot(one.high - one.value, other.value - other.low), rel=1e-6)
    # Few seeds of either row leave their few degrees of freedom to the difference: its p is theirs as well as its width.
    (few,) = comparison.pairs([estimates([row], Spread(1e-3, 3), asked)[0] for asked, row in enumerate(values)])
    assert few.margin.item_freedom == 3 and few.p == pytest.approx(2 * t.sf(abs(few.value) / np.sqrt(few.margin.items), 3))
    # On the same items the same difference is one of 24 items, all of them lost.
    (paired,) = comparison.pairs(estimates(values, Spread(1e-9, 4)))
    assert paired.paired and paired.significant


def test_rows_whose_items_belong_together_otherwise_are_unpaired():
    """Planted fault: a task that was given a `cluster` since broke every report on the rows from before and after."""
    right = np.array([np.arange(200) < 150] * 2, dtype=float)
    (alone,) = estimates([right], Spread(1e-5, 2))
    films = replace(clusters_of([n // 10 for n in range(200)], 200), items_hash=1)
    whole = of_counts(np.stack([right, np.ones_like(right)], -1), lambda t: t[..., 0] / t[..., 1], films)
    later = estimate(whole.values.tolist(), [None] * 2, whole, Spread(1e-5, 2), "wilson")
    assert [pair.paired for pair in comparison.pairs([alone, later, later])] == [False, False, True]


def test_bounds_alone_are_held_against_answers():
    (answered,) = accurate([0.9], Spread(1e-9, 4))
    published, unknown = Estimate(0.6, 0.55, 0.65, "items", 1), Estimate(0.6, None, None, "items", 1)
    near, far = comparison.pairs([answered, published])[0], comparison.pairs([answered, unknown])[0]
    assert near.significant and not near.paired and far.p == 1 and not np.isfinite(far.high)


def test_a_row_without_seeds_adds_none():
    seeded, alone = accurate([0.8, 0.7], Spread(0.0004, 6))
    still = replace(alone, answered=answers(np.array([np.arange(1000) < 700], dtype=float)), spread=NO_SPREAD)
    (found,) = comparison.pairs([seeded, still])
    assert (found.margin.seeds, found.margin.seed_freedom, found.margin.other_seeds) == (pytest.approx(0.0004 / 2), 6, 0)
    # The seeds of a row that is shown solved examples do something else: they keep their own variance and freedom.
    (found,) = comparison.pairs([seeded, replace(alone, spread=Spread(0.0009, 1))])
    parts = (found.margin.seeds, found.margin.seed_freedom, found.margin.other_seeds, found.margin.other_freedom)
    assert parts == (pytest.approx(0.0004 / 2), 6, pytest.approx(0.0009 / 2), 1)


@pytest.mark.parametrize("ratio", [0.0, 1.0, 4.0])
def test_unlike_seeds_are_parts_of_their_own(ratio):
    """Rows that train (nu 10) against rows whose 3 seeds choose solved examples (nu 2), where seeds are all that varies: equal
    ones differ in at most .05 of the tables, at a corrected level too. Welch's let up to 4 times as many pass."""
    generator, tables = np.random.default_rng(0), 100_000
    first, second = generator.chisquare(10, tables) / 10 / 3, ratio**2 * generator.chisquare(2, tables) / 2 / 3
    drawn = generator.standard_normal(tables) * np.sqrt((1 + ratio**2) / 3)
    margin = Margin(first, 10, 0.0, 100, second, 2)
    for level in (0.05, 0.005):
        assert (np.abs(drawn) > margin.half_width(level)).mean() <= 1.1 * level
    small = [Margin(first[n], 10, 0.0, 100, second[n], 2) for n in range(5)]
    assert comparison.stacked(small).half_width() == pytest.approx([each.half_width() for each in small])


def test_ranks_where_not_different_is_not_transitive():
    better = np.zeros((3, 3), dtype=bool)
    better[0, 2] = True
    assert ranks(3, better) == [(1, 2), (1, 3), (2, 3)] and top_group(ranks(3, better)) == [0, 1]


def test_seeds_that_vary_hide_a_difference():
    assert comparison.pairs(accurate([0.80, 0.84], Spread(1e-6, 2)))[0].significant
    assert not comparison.pairs(accurate([0.80, 0.84], Spread(0.02**2, 2)))[0].significant


def test_unpaired_rows_of_unlike_seeds_have_the_fewer_degrees_of_freedom():
    """Three seeds of one row are not better known for thirty of the other's."""
    values = [np.array([np.arange(400) < 400 * share] * 2, dtype=float) for share in (0.70, 0.76)]
    few, many = (
        estimates([row], Spread(1e-3, nu), asked)[0] for asked, (row, nu) in enumerate(zip(values, (2, 30), strict=True))
    )
    for one, other in ((few, many), (many, few)):
        (found,) = comparison.pairs([one, other])
        assert not found.paired and found.margin.item_freedom == 2


def test_an_average_pair_has_the_freedom_of_pairs_that_vary():
    """Of two untouched models nothing varies over seeds, and what is known of others' seeds is known no worse for that."""
    trained, untouched = Margin(0.0004, 12, 0.0001, 800, 0.0009, 3), Margin(0.0, 0, 0.0001, 800)
    average = comparison.mean_margin([trained, untouched])
    assert (average.seeds, average.seed_freedom) == (pytest.approx(0.0002), 12)
    assert (average.other_seeds, average.other_freedom) == (pytest.approx(0.00045), 3)

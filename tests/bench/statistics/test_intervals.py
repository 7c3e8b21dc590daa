"""Margins are sums of components by MOVER, and bounds those of the textbooks where one component is alone."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats
from scipy.stats import binomtest

from bench.statistics.comparison import mean_margin
from bench.statistics.intervals import NO_SPREAD, Margin, Spread, limits, of_one_model, of_pair, of_row, pooled, rise_over
from bench.statistics.jackknife import Jackknifed, clusters_of, of_counts


def answered(values: np.ndarray):
    """0 and 1, (seeds, items), jackknifed."""
    counts = np.stack([values, np.ones_like(values)], axis=-1).astype(float)
    return of_counts(counts, lambda totals: totals[..., 0] / totals[..., 1], clusters_of(None, values.shape[-1]))


def test_one_run_s_mean_has_student_s_interval():
    values = np.random.default_rng(0).normal(size=(1, 30))
    expected = stats.t.interval(0.95, 29, values.mean(), stats.sem(values[0]))
    assert of_one_model(answered(values)) == pytest.approx(expected)


def test_seeds_that_err_on_other_items_do_not_make_a_number_certain():
    """Of two seeds each errs on one item or two: their scores are equal, and they have no error in common. Planted fault: the
    interval was [.98, .98], and two such rows differed with a p of 1e-16."""

    def erring(*places):
        values = np.ones((2, 100))
        for seed, wrong in enumerate(places):
            values[seed, list(wrong)] = 0
        return answered(values)

    one, other = erring([1], [2]), erring([1, 3], [2, 4])
    table = pooled([row.values.tolist() for row in (one, other)])
    low, high = limits(0.98, of_row(other, table), "wilson")
    assert low < 0.97 and high > 0.985
    margin = of_pair(one, other, table)
    # A difference of one item in a hundred is no finding, as with one seed of each row.
    assert margin.p(0.01) > 0.1 and margin.half_width() > 0.01
    same = of_pair(one, one, table)
    assert same.half_width() == 0 and same.p(0.0) == 1  # where really nothing moves, nothing is made up


@pytest.mark.parametrize("draw", ["student", "answers"])
def test_few_items_without_a_change_are_rarely_called_one(draw: str):
    """1,000 probes of 14 paired differences around 0: heavy-tailed losses, and answers that turn right or wrong."""
    generator, calls = np.random.default_rng(8), 0
    for _ in range(1000):
        change = generator.standard_t(5, size=14) if draw == "student" else generator.choice([-1.0, 0.0, 0.0, 1.0], size=14)
        low, high = of_one_model(answered(change[None]))
        calls += low > 0 or high < 0
    # 5 % are 50; plain bootstrap percentiles call 93 losses and 73 answers a change.
    assert calls <= 70


@pytest.mark.parametrize(("items", "least"), [(64, 0.9), (200, 0.86)])
def test_a_loss_of_which_no_answer_turned_has_a_width(items: int, least: float):
    """Exactly, over how many of the answers turn where a share of them does. Planted fault: without one more answer's variance
    the interval held a loss of 1 % of 64 items in .47 of the cases."""
    before = answered(np.ones((1, items)))
    held = dict.fromkeys((0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1), 0.0)
    plain = dict(held)
    for turned in range(items // 2):
        after = answered(np.where(np.arange(items) < turned, 0.0, 1.0)[None])
        ends = {"now": of_one_model(rise_over(before, after, "wilson")), "plain": of_one_model(before - after)}
        for share in held:
            chance = stats.binom.pmf(turned, items, share)
            held[share] += chance * (ends["now"][0] <= share <= ends["now"][1])
            plain[share] += chance * (ends["plain"][0] <= share <= ends["plain"][1])
    assert min(held.values()) > least and min(plain.values()) < 0.7
    if items == 64:
        assert held[0.01] > 0.99 and plain[0.01] == pytest.approx(0.474, abs=1e-3)


def test_answers_that_all_turned_alike_keep_their_bound():
    """What p is of five such is told by the exact test, and not by one more answer."""
    one, none = answered(np.ones((1, 5))), answered(np.zeros((1, 5)))
    assert of_row(rise_over(one, none, "wilson")).p(1.0) == 2.0**-4
    several = rise_over(answered(np.ones((3, 64))), answered(np.ones((1, 64))), "graded")
    assert several.items_variance == pytest.approx(1 / 64**2) and of_row(several).half_width() > 0.03


def test_covers_the_truth_about_as_often_as_it_says():
    generator, truth, hits = np.random.default_rng(0), 0.8, 0
    for _ in range(300):
        right = generator.random(300) < truth
        low, high = of_one_model(answered(right[None]), "wilson")
        hits += low <= truth <= high
    # 95 % of 300 is 285; the binomial's 99.9 % range.
    assert 268 <= hits <= 299


def test_paired_interval_is_student_s_of_the_differences():
    one, other = np.random.default_rng(0).normal(size=(2, 1, 30))
    expected = stats.t.interval(0.95, 29, (one - other).mean(), stats.sem((one - other)[0]))
    assert of_one_model(answered(one) - answered(other)) == pytest.approx(expected)


def test_accuracy_of_one_run_has_nearly_wilson_s_interval():
    values = (np.arange(400) < 380).astype(float)[None]
    wilson = binomtest(380, 400).proportion_ci(method="wilson")
    # Student's quantile and n - 1 for the normal's and n.
    assert of_one_model(answered(values), "wilson") == pytest.approx(tuple(wilson), abs=5e-4)


@pytest.mark.parametrize("right", [0, 50])
@pytest.mark.parametrize("scale", ["wilson", "logit"])
def test_nothing_or_all_right_is_not_certain(right, scale):
    low, high = of_one_model(answered((np.arange(50) < right).astype(float)[None]), scale)
    wilson = binomtest(right, 50).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((wilson.low, wilson.high), abs=1e-3)


def test_logit_bounds():
    margin = Margin(0.0, 0, 0.02**2, 99)
    odds, half = np.log(0.9 / 0.1), stats.t.ppf(0.975, 99) * 0.02 / 0.09
    expected = [1 / (1 + np.exp(-(odds + sign * half))) for sign in (-1, 1)]
    assert limits(0.9, margin, "logit") == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
def test_logit_bounds_of_next_to_nothing():
    """Far more than the score itself is uncertain: no bound is known, and nothing is told of an overflow."""
    assert limits(0.0005, Margin(0.06, 2, 0.0, 1), "logit") == pytest.approx((0, 1))


def test_a_percentage_has_the_bounds_of_its_share():
    """Planted fault: BLEU's interval of one seed reached below 0."""
    share, percentage = Margin(0.002**2, 3, 0.003**2, 99, 0.001**2, 5), Margin(0.2**2, 3, 0.3**2, 99, 0.1**2, 5)
    for value in (0.01, 0.2, 0.97):
        expected = [100 * bound for bound in limits(value, share, "logit")]
        assert limits(100 * value, percentage, "percent") == pytest.approx(expected)
        assert expected[0] > 0 and expected[1] < 100


def test_parts_add_in_squares_each_with_its_own_quantile():
    margin = Margin(0.02**2, 3, 0.01**2, 200)
    expected = np.hypot(stats.t.ppf(0.975, 3) * 0.02, stats.t.ppf(0.975, 200) * 0.01)
    assert margin.half_width() == pytest.approx(expected)
    assert limits(0.5, margin) == pytest.approx((0.5 - expected, 0.5 + expected))


def test_p_is_the_level_at_which_the_interval_touches_zero():
    margin = Margin(0.02**2, 3, 0.01**2, 200)
    assert margin.half_width(margin.p(0.05)) == pytest.approx(0.05, rel=1e-6)
    assert Margin(0.0, 0, 0.01**2, 20).p(-0.03) == pytest.approx(2 * stats.t.sf(3, 20), rel=1e-6)
    assert margin.p(0.0) == 1 and Margin(0.0, 0, 0.0, 200).p(0.1) < 1e-15
    assert margin.p(np.array([0.0, margin.half_width()])) == pytest.approx([1, 0.05])


@pytest.mark.parametrize("items", [2, 5, 6, 12])
def test_items_that_all_change_alike_are_no_surer_than_the_exact_test(items):
    before, after = np.zeros((1, items)), np.ones((1, items))
    exact = stats.permutation_test((after[0] - before[0],), np.mean, permutation_type="samples", n_resamples=np.inf)
    p = of_pair(answered(after), answered(before), NO_SPREAD).p(1.0)
    assert p == pytest.approx(exact.pvalue) and (p > 0.05) == (items < 6)


def test_seed_variance_is_pooled_over_rows_and_one_seed_says_nothing():
    assert pooled([[0.8, 0.9], [0.7, 0.7], [0.5]]) == Spread(pytest.approx(0.0025), 2)
    # A row weighs by its seeds minus one.
    assert pooled([[0.8, 0.9], [0.1, 0.2, 0.3, 0.4]]).variance == pytest.approx(
        (0.005 + 3 * np.var([1, 2, 3, 4], ddof=1) / 100) / 4
    )
    assert pooled([[0.5], [0.6]]) == Spread(0.0, 0)


def test_row_takes_the_larger_of_the_table_s_seed_variance_and_its_own():
    values = (np.arange(100) < np.array([[70], [90]])).astype(float)
    row = answered(values)
    assert of_row(row, Spread(0.0004, 8)).seeds == pytest.approx(0.02 / 2)
    assert of_row(row, Spread(0.04, 8)).seeds == pytest.approx(0.04 / 2) and of_row(row, Spread(0.04, 8)).seed_freedom == 8
    # One seed in a table of several has the table's; in a table that knows none, items alone.
    assert of_row(answered(values[:1]), Spread(0.0004, 8)).seeds == pytest.approx(0.0004)
    assert of_row(answered(values[:1])).seeds == 0


@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_a_row_alone_has_one_degree_of_freedom_less_than_seeds(seeds):
    """Of scores that seeds alone move, the interval is Student's of the scores."""
    scores = np.random.default_rng(seeds).normal(0.8, 0.02, seeds)
    row = Jackknifed(scores, np.zeros((seeds, 1)), 1e5, clusters_of(None, 872))
    expected = stats.t.interval(0.95, seeds - 1, scores.mean(), stats.sem(scores))
    for table in (NO_SPREAD, pooled([scores.tolist()])):
        assert limits(scores.mean(), of_row(row, table)) == pytest.approx(expected)


def test_pair_has_the_table_s_seed_variance_up_to_four_seeds_and_then_its_own():
    generator = np.random.default_rng(0)
    one, other = (answered((generator.random((3, 80)) < 0.7).astype(float)) for _ in range(2))
    margin = of_pair(one, other, Spread(0.0009, 10))
    assert (margin.seeds, margin.seed_freedom) == (pytest.approx(2 * 0.0009 / 3), 10)
    one, other = (answered((generator.random((4, 80)) < 0.7).astype(float)) for _ in range(2))
    margin = of_pair(one, other, Spread(0.0009, 10))
    assert (margin.seeds, margin.seed_freedom) == (pytest.approx(2 * 0.0009 / 4), 10)
    one, other = (answered((generator.random((5, 80)) < 0.7).astype(float)) for _ in range(2))
    margin = of_pair(one, other, Spread(0.0009, 10))
    own = one.values.var(ddof=1) + other.values.var(ddof=1)
    assert (margin.seeds, margin.seed_freedom) == (pytest.approx(own / 5), 8)


@pytest.mark.parametrize(("few", "many"), [(5, 6), (5, 20), (5, 50), (10, 50)])
def test_many_seeds_of_one_row_do_not_make_known_how_the_others_vary(few, many):
    """Equal rows that nothing but seeds moves. Planted fault: one variance with the seeds of both as freedom found a difference
    between 5 and 50 seeds in .10 of the tables, at a level of .005 in .03."""
    generator, tables = np.random.default_rng(3), 40_000
    drawn = [generator.normal(0, 0.02, (tables, seeds)) for seeds in (few, many)]
    margin = of_pair(
        *(Jackknifed(row, np.zeros((*row.shape, 1)), 1e5, clusters_of(None, 872)) for row in drawn), Spread(1.0, 9)
    )
    assert (margin.seed_freedom, margin.other_freedom) == (many - 1, few - 1)
    for level in (0.05, 0.05 / 10):
        assert (np.abs(drawn[0].mean(-1) - drawn[1].mean(-1)) > margin.half_width(level)).mean() <= 1.1 * level


@pytest.mark.parametrize("seeds", [5, 10])
def test_seeds_of_two_kinds_are_parts_of_their_own_however_many(seeds):
    """Solved examples move a score by 5 points, training by half a point, and the rows are equal. Planted fault: one variance
    with the seeds of both as freedom found a difference in .078 of the tables at five seeds, at a level of .0024 in .011."""
    generator, tables = np.random.default_rng(1), 40_000
    chosen, trained = (generator.normal(0, sd, (tables, seeds)) for sd in (0.05, 0.005))
    spreads = [Spread(row.var(-1, ddof=1), seeds - 1) for row in (chosen, trained)]
    rows = [Jackknifed(row, np.zeros((*row.shape, 1)), 1e5, clusters_of(None, 872)) for row in (chosen, trained)]
    margin = of_pair(*rows, *spreads)
    for level in (0.05, 0.05 / 21):
        assert (np.abs(chosen.mean(-1) - trained.mean(-1)) > margin.half_width(level)).mean() <= 1.1 * level


def test_seeds_that_err_on_other_items_are_not_certain_beside_a_row_without_seeds():
    """Planted fault: an untouched model and a row of two seeds, each of which got another item right, differed by
    [-.016, -.016] with a p of 1e-16. Nor are two rows of 5 and 6 seeds."""
    base = np.zeros((1, 64))
    base[0, :40] = 1

    def trained(*places):
        values = np.repeat(base, len(places), axis=0)
        for seed, place in enumerate(places):
            values[seed, place] = 1
        return answered(values)

    table = pooled([trained(41, 42).values.tolist()])
    few = of_pair(answered(base), trained(41, 42), NO_SPREAD, table)
    assert few.p(-1 / 64) > 0.1 and few.half_width() > 1 / 64
    many = of_pair(trained(*range(41, 46)), trained(*range(46, 52)), Spread(0.0, 9))
    assert many.items > 0


@pytest.mark.parametrize("order", [*permutations((5, 20, 20))])
def test_what_rows_of_unlike_many_seeds_find_does_not_hang_on_their_order(order):
    """Planted fault: 5, 20 and 20 seeds printed 3.2 points in one order and 4.1 in another, as the part of 4 degrees of freedom
    was averaged with one of 38."""
    generator = np.random.default_rng(0)
    drawn = {seeds: [answered(generator.normal(0.8, 0.02, (seeds, 1)) + generator.normal(0, 0.3, (seeds, 100)))
                     for _ in range(2)] for seeds in (5, 20)}  # fmt: skip
    rows = [drawn[seeds][sum(before == seeds for before in order[:place])] for place, seeds in enumerate(order)]
    average = mean_margin([of_pair(one, other, Spread(0.0004, 42)) for one, other in combinations(rows, 2)])
    assert (average.seed_freedom, average.other_freedom) == ((38 + 19 + 19) / 3, 4)


def test_a_row_of_many_seeds_keeps_its_own_variance_beside_one_without_seeds():
    """Planted fault: the table's, of rows that vary less, made a difference of what the row's own gain did not."""
    values = (np.random.default_rng(0).random((10, 80)) < np.linspace(0.3, 0.9, 10)[:, None]).astype(float)
    wild, still = answered(values), answered(values[:1])
    margin = of_pair(wild, still, Spread(0.0001, 45), NO_SPREAD)
    assert (margin.seeds, margin.seed_freedom) == (pytest.approx(wild.values.var(ddof=1) / 10), 9)
    assert (margin.other_seeds, margin.other_freedom) == (0, 0)


def test_items_that_both_rows_miss_are_no_part_of_their_difference():
    hard = (np.arange(200) < 150).astype(float)
    one, other = answered(np.tile(hard, (2, 1))), answered(np.tile(hard, (2, 1)))
    assert of_pair(one, other, Spread()).items == pytest.approx(0, abs=1e-15) and of_row(one).items > 0


def test_one_more_answer_is_counted_only_where_training_may_have_turned_it():
    """An untouched model held against itself is the same on any items."""
    row = answered((np.arange(64) < 40).astype(float)[None])
    still, trained = (rise_over(row, row, "wilson", trained) for trained in (False, True))
    assert of_row(still).half_width() == 0 and of_row(trained).half_width() > 0.03
    assert still.shifts.shape == trained.shifts.shape

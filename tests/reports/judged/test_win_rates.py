"""Win rates against scipy and plain loops that share nothing with them."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from bench.records.judged import JudgedItem, Said
from reports.judged.win_rates import JudgedRows, win_rates

WORTH = {"one": 1.0, "tie": 0.5, "other": 0.0}


def item(name, verdict, one_first="", other_first=""):
    """A judged item, which was asked where the orders' winners are named."""
    first, second = (Said(text="", winner=winner or None) for winner in (one_first, other_first))
    asked = {"one_first": first, "other_first": second} if one_first or other_first else {}
    return JudgedItem(item=str(name), asked="", verdict=verdict, **asked)


def rows(*seeds, labels=("a", "b"), clusters=None, runs=None, seeded=(True, False)):
    verdicts = [[item(n, verdict) for n, verdict in enumerate(seed)] for seed in seeds]
    count = len(seeds[0])
    return JudgedRows(labels, verdicts, clusters or [None] * count, runs or (len(seeds), len(seeds)), seeded)


def drawn(generator, count, chances=(0.5, 0.2, 0.3)):
    return generator.choice(["one", "tie", "other"], count, p=chances).tolist()


def wilson(mean, variance, quantile):
    """Bounds of a mean in [0, 1] with this variance: where the distance is the quantile times the deviation, which is scaled
    from that at the mean by p (1 - p)."""
    factor = quantile**2 * variance / (mean * (1 - mean))
    # (m - p)^2 = factor p (1 - p), a square equation in p.
    return tuple(sorted(np.roots([1 + factor, -(2 * mean + factor), mean**2])))


def test_a_rate_its_interval_and_its_test_by_scipy():
    verdicts = drawn(np.random.default_rng(0), 80)
    (rate,) = win_rates([rows(verdicts)]).pairs
    worth = np.array([WORTH[verdict] for verdict in verdicts])
    assert rate.value == pytest.approx((verdicts.count("one") + verdicts.count("tie") / 2) / 80)
    assert rate.counts == {name: verdicts.count(name) for name in WORTH}
    sem = stats.sem(worth)
    assert (rate.low, rate.high) == pytest.approx(wilson(worth.mean(), sem**2, stats.t.ppf(0.975, 79)))
    # McNemar's statistic, as t of the items.
    won, lost = verdicts.count("one"), verdicts.count("other")
    assert rate.p == pytest.approx(2 * stats.t.sf(abs(won - lost) / math.sqrt(won + lost), 79))


@pytest.mark.parametrize("seed", range(6))
def test_with_many_items_the_test_is_the_sign_test(seed):
    verdicts = drawn(np.random.default_rng(seed), 600, (0.38, 0.3, 0.32))
    (rate,) = win_rates([rows(verdicts)]).pairs
    won, lost = verdicts.count("one"), verdicts.count("other")
    exact = stats.binomtest(won, won + lost)
    middle = exact.pvalue - stats.binom.pmf(won, won + lost, 0.5)  # mid-p, since the exact one is too large by half a step
    assert rate.p == pytest.approx(middle, abs=0.01)


def test_a_few_wins_of_as_many_items_are_not_beyond_doubt():
    for count in (2, 3, 5):
        (rate,) = win_rates([rows(["one"] * count)]).pairs
        assert rate.value == 1.0 and rate.p >= stats.binomtest(count, count).pvalue / 2 and not rate.significant
        assert rate.low < 0.75 and rate.high == 1.0
    (rate,) = win_rates([rows(["one"] * 30)]).pairs
    assert rate.significant


def test_a_single_item_says_nothing():
    for verdict in ("one", "tie", "other"):
        rates = win_rates([rows([verdict])])
        (rate,) = rates.pairs
        assert rate.p == 1.0 and rate.high - rate.low > 0.75 and rates.smallest is None


def test_ties_alone_say_how_far_other_items_could_move_the_rate():
    (rate,) = win_rates([rows(["tie"] * 40)]).pairs
    z = stats.norm.ppf(0.975)
    assert (rate.value, rate.p) == (0.5, 1.0)
    assert (rate.low, rate.high) == pytest.approx((0.5 - z**2 / (40 + z**2) / 2, 0.5 + z**2 / (40 + z**2) / 2))
    assert win_rates([rows(["tie"] * 40)]).smallest is None


def test_items_of_a_cluster_count_together():
    generator = np.random.default_rng(3)
    verdicts = [verdict for verdict in drawn(generator, 20) for _ in range(5)]
    (rate,) = win_rates([rows(verdicts, clusters=[n // 5 for n in range(100)])]).pairs
    (each,) = win_rates([rows(verdicts[::5])]).pairs  # an item for each cluster says as much
    assert (rate.value, rate.low, rate.high, rate.p) == pytest.approx((each.value, each.low, each.high, each.p))
    (alone,) = win_rates([rows(verdicts)]).pairs
    assert alone.high - alone.low < 0.6 * (rate.high - rate.low)


def test_several_seeds_by_variance_components():
    """Obuchowski & Rockette's parts, by loops: the variance between seeds, and the mean covariance of two seeds over items."""
    generator = np.random.default_rng(4)
    seeds = [drawn(generator, 50, chances) for chances in ((0.6, 0.2, 0.2), (0.5, 0.2, 0.3), (0.7, 0.1, 0.2))]
    (rate,) = win_rates([rows(*seeds)]).pairs
    worth = np.array([[WORTH[verdict] for verdict in seed] for seed in seeds])
    between = worth.mean(1).var(ddof=1) / 3
    items = max(np.mean([np.cov(worth[i], worth[j])[0, 1] / 50 for i, j in combinations(range(3), 2)]), 0.0)
    half = math.hypot(stats.t.ppf(0.975, 2) * math.sqrt(between), stats.t.ppf(0.975, 49) * math.sqrt(items))
    assert rate.value == pytest.approx(worth.mean())
    assert (rate.low, rate.high) == pytest.approx(wilson(worth.mean(), half**2, 1.0))


def test_all_pairs_of_a_table_are_looked_at_together():
    generator = np.random.default_rng(5)
    alone = [rows(drawn(generator, 60, chances)) for chances in ((0.5, 0.3, 0.2), (0.45, 0.3, 0.25), (0.4, 0.2, 0.4))]
    ps = [win_rates([each]).pairs[0].p for each in alone]
    order = np.argsort(ps)
    expected, highest = {}, 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, ps[index] * (3 - place)))
        expected[index] = highest
    assert [rate.p for rate in win_rates(alone).pairs] == pytest.approx([expected[n] for n in range(3)])


def test_rows_that_several_pairs_share_do_not_make_seeds_known_better():
    """Three rows of two seeds have four seeds beyond their means, of which their differences show two."""
    generator = np.random.default_rng(6)
    labels = list(combinations("abc", 2))
    table = [rows(drawn(generator, 40, (0.6, 0.2, 0.2)), drawn(generator, 40, (0.4, 0.2, 0.4)), labels=pair) for pair in labels]
    rate = win_rates(table).pairs[0]
    worth = [np.array([[WORTH[j.verdict] for j in seed] for seed in each.verdicts]) for each in table]
    between = max(np.mean([each.mean(1).var(ddof=1) for each in worth]), worth[0].mean(1).var(ddof=1)) / 2
    items = max(np.cov(worth[0][0], worth[0][1])[0, 1] / 40, 0.0)
    half = math.hypot(stats.t.ppf(0.975, 2) * math.sqrt(between), stats.t.ppf(0.975, 39) * math.sqrt(items))
    assert (rate.low, rate.high) == pytest.approx(wilson(worth[0].mean(), half**2, 1.0))


def test_seeds_beside_a_row_of_one_run_are_all_free():
    """Two rows of three seeds beside one that has none: four differences are free, of the six that three pairs would have."""
    generator = np.random.default_rng(10)
    table = [
        rows(*(drawn(generator, 40) for _ in range(3)), labels=pair, runs=runs)
        for pair, runs in ((("a", "b"), (3, 3)), (("a", "z"), (3, 1)), (("b", "z"), (3, 1)))
    ]
    worth = [np.array([[WORTH[j.verdict] for j in seed] for seed in each.verdicts]) for each in table]
    pooled = np.mean([each.mean(1).var(ddof=1) for each in worth])
    for rate, each in zip(win_rates(table).pairs, worth, strict=True):
        between = max(pooled, each.mean(1).var(ddof=1)) / 3
        items = max(np.mean([np.cov(each[i], each[j])[0, 1] / 40 for i, j in combinations(range(3), 2)]), 0.0)
        half = math.hypot(stats.t.ppf(0.975, 4) * math.sqrt(between), stats.t.ppf(0.975, 39) * math.sqrt(items))
        assert (rate.low, rate.high) == pytest.approx(wilson(each.mean(), half**2, 1.0))


def test_a_row_of_one_run_shows_the_others_seeds():
    generator = np.random.default_rng(7)
    seeds = [drawn(generator, 40, chances) for chances in ((0.6, 0.2, 0.2), (0.4, 0.2, 0.4), (0.5, 0.2, 0.3))]
    (one,) = win_rates([rows(*seeds, runs=(3, 1))]).pairs
    (three,) = win_rates([rows(*seeds)]).pairs
    assert (one.low, one.high) == (three.low, three.high)


def test_what_no_difference_was_found_would_have_been_found():
    """Four times out of five, by drawing tables whose true rate is as far from .5."""
    generator = np.random.default_rng(8)
    smallest = win_rates([rows(drawn(generator, 200, (0.4, 0.2, 0.4)))]).smallest
    chances = (0.4 + smallest, 0.2, 0.4 - smallest)
    found = [win_rates([rows(drawn(generator, 200, chances))]).pairs[0].significant for _ in range(300)]
    assert 0.73 <= np.mean(found) <= 0.87


def test_a_lopsided_pair_promises_no_more_than_an_even_one():
    """Planted fault: its own variance, which is small, was taken for that of pairs near .5, which it says something of."""
    even, lopsided = (win_rates([rows(["one"] * n + ["other"] * (100 - n))]).smallest for n in (50, 95))
    assert even <= lopsided + 1e-9 and even == pytest.approx(lopsided, rel=0.1)


def test_no_more_is_found_between_equals_than_chance_allows():
    """Four rows of three seeds, whose seeds move answers: any pair found in at most 5 of 100 tables."""
    generator, found = np.random.default_rng(9), []
    for _ in range(120):
        quality = generator.normal(0, 0.3, (4, 3, 1)) + generator.normal(0, 1, (4, 3, 60))
        table = []
        for one, other in combinations(range(4), 2):
            ahead = quality[one] - quality[other]
            verdicts = np.where(ahead > 0.5, "one", np.where(ahead < -0.5, "other", "tie"))
            table.append(rows(*verdicts.tolist(), labels=(str(one), str(other))))
        found.append(any(rate.significant for rate in win_rates(table).pairs))
    assert np.mean(found) <= 0.09


def judged(*orders):
    verdicts = [
        item(n, one if one and one == other else "tie", one or "", other or "") for n, (one, other) in enumerate(orders)
    ]
    (rate,) = win_rates([JudgedRows(("a", "b"), [verdicts], [None] * len(verdicts), (1, 1))]).pairs
    return rate


def test_agreement_and_first_place_of_a_judge_that_minds_the_answers():
    rate = judged(("one", "one"), ("other", "other"), ("tie", "tie"), ("one", "one"))
    assert (rate.agreement, rate.first, rate.unread, rate.same) == (1.0, 0.5, 0, 0)


def test_of_one_that_minds_the_place_alone():
    rate = judged(*[("one", "other")] * 10)
    assert (rate.value, rate.agreement, rate.first) == (0.5, 0.0, 1.0) and rate.counts["tie"] == 10
    assert judged(*[("other", "one")] * 10).first == 0.0


def test_what_was_not_read_or_not_asked_is_counted():
    rate = judged(("one", None), (None, "tie"), ("tie", "tie"), (None, None), ("one", "tie"))
    # An item of which neither order was read stands as one that was not asked here.
    assert (rate.agreement, rate.first, rate.unread, rate.same) == (0.25, 1.0, 2, 1)
    nothing = Said(text="Hm", winner=None)
    mute = JudgedItem(item="0", asked="", one_first=nothing, other_first=nothing, verdict="tie")
    (rate,) = win_rates([JudgedRows(("a", "b"), [[mute] * 4], [None] * 4, (1, 1))]).pairs
    assert (rate.agreement, rate.first, rate.unread, rate.same) == (0.0, None, 8, 0)
    untouched = judged((None, None))
    assert (untouched.agreement, untouched.first, untouched.same) == (None, None, 1)


def test_one_run_of_a_row_that_trains_has_a_seed_too():
    """Equal rows, of three seeds and of one, whose seeds move answers: no more is found than chance allows."""
    generator, found = np.random.default_rng(11), {True: 0, False: 0}
    for _ in range(300):
        qualities = [generator.normal(0, 0.2, 3), [generator.normal(0, 0.2)] * 3]
        item_parts = generator.normal(0, 1, (2, 100))
        seeds = [
            ["one" if a > b else "other" for a, b in zip(item_parts[0] + one, item_parts[1] + other, strict=True)]
            for one, other in zip(*qualities, strict=True)
        ]
        for seeded in found:
            (rate,) = win_rates([rows(*seeds, runs=(3, 1), seeded=(True, seeded))]).pairs
            found[seeded] += rate.significant
    assert found[True] <= 0.07 * 300 < found[False]

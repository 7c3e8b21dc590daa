"""Places and p values by the audit's own loops, against scipy and the engine."""

import numpy as np
import pandas as pd
import pytest
from audited import scored
from hypothesis import given
from hypothesis import strategies as st
from ranked_rows import estimates_and_rivals, rival
from scipy.stats import ttest_1samp, ttest_rel

from bench.statistics import comparison
from bench.statistics.comparison import beats, pairs, ranks
from bench.statistics.intervals import Spread
from reports.audit.leaving_out import SeedVariance, bounds
from reports.audit.ranks import MOST_ROWS, holm_by_steps, items_asked, p_of_row, pairs_of, places_of, told_of_pairs


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
    pairs = pairs_of({"one": rival([one]), "other": rival([other])})
    held = places_of(["one", "other"], pairs, higher_is_better=True)
    tested = ttest_rel(one, other)
    assert pairs[0].p == pytest.approx(tested.pvalue, rel=1e-9)
    ends = tuple(pairs[0].value + sign * pairs[0].half for sign in (-1, 1))
    assert ends == pytest.approx(tuple(tested.confidence_interval()), rel=1e-9)
    apart = tested.pvalue <= 0.05
    assert (sorted(held.values()) == [1, 1, 2, 2]) == bool(apart) or not apart
    if apart:
        first = "one" if one.mean() > other.mean() else "other"
        assert held["places", first, "worst"] == 1
    else:
        assert [held["places", name, "worst"] for name in ("one", "other")] == [2, 2]


def both(values_by_row, spreads):
    """The engine's places and the audit's, of the same numbers."""
    estimates, rivals = estimates_and_rivals(values_by_row, spreads)
    differences, held = pairs(estimates), pairs_of(rivals)
    told, ends = told_of_pairs(held), [(each.value, each.low, each.high, each.p) for each in differences]
    names = [f"{each.one} - {each.other}" for each in differences]
    assert [tuple(told["pairs", name, number] for number in ("value", "ci_low", "ci_high", "p")) for name in names] == [
        pytest.approx(numbers, abs=1e-12) for numbers in ends
    ]
    better = beats(len(estimates), differences)
    audited = places_of(list(rivals), held, higher_is_better=True)
    return ranks(len(estimates), better), [
        tuple(int(audited["places", str(name), end]) for end in ("best", "worst")) for name in range(len(estimates))
    ]


@given(st.integers(0, 10_000))
def test_places_of_rows_with_many_and_more_seeds_are_the_engines(seed):
    drawn = np.random.default_rng(seed)
    rows = [drawn.normal(shift, 1, (seeds, 20)) for shift, seeds in zip(drawn.normal(0, 0.8, 3), (5, 8, 8), strict=True)]
    engine, audited = both(rows, [Spread(0.04, 18)] * 3)
    assert audited == engine


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


def test_of_a_large_table_the_first_rows_pairs_are_told():
    values = np.random.default_rng(2).normal(0, 1, (MOST_ROWS + 1, 1, 6))
    rows = {str(number): rival(each) for number, each in enumerate(values)}
    told = {place[1] for place in told_of_pairs(pairs_of(rows))}
    assert told == {f"0 - {number}" for number in range(1, MOST_ROWS + 1)}


def test_a_difference_by_nothing_but_rounding_has_no_p_that_is_judged():
    values = np.random.default_rng(2).normal(0, 1, 20)
    told = told_of_pairs(pairs_of({"one": rival([values]), "other": rival([values + np.arange(20) * 1e-6])}))
    assert {place[-1] for place in told} == {"value", "ci_low", "ci_high", "paired"}


def test_items_are_known_by_what_belongs_together_and_not_by_its_name():
    """Planted fault: a label that is missing reads as None or as NaN, by what else the table holds."""
    record, items = scored()
    task = items["kind"] == "task"

    def asked(clusters):
        return items_asked(record, items.assign(cluster=items["item"].map(clusters).where(task)))["score",]

    pairs = {f"test-{n}": f"film-{n // 2}" for n in range(40)}
    assert asked(pairs) == asked({item: f"renamed {name}" for item, name in pairs.items()})
    assert asked(pairs) != asked(dict.fromkeys(pairs, "one"))
    alone = items.drop(columns="cluster", errors="ignore")
    missing = [
        items_asked(record, alone.assign(cluster=pd.Series(label, items.index, object))) for label in (None, float("nan"))
    ]
    assert missing[0] == missing[1] == items_asked(record, alone)

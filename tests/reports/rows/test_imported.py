"""What is said of rows that were not made here."""

import numpy as np
import pytest

from bench.records.outcome import Score
from bench.records.record import Import
from bench.statistics.binomial import wilson
from bench.statistics.comparison import pairs
from bench.statistics.estimates import Estimate
from reports.rows.imported import stated_sources
from reports.rows.rows import aggregate
from reports.rows.standing import score_standing


def made(make, strategy, interval="binomial", whose="them"):
    record, _ = make.record(strategy)
    source = Import(whose=whose, file="a.json", sha256="ab", interval=interval)
    return make.changed(record, source=source)


def told(*records):
    return list(stated_sources(aggregate(records)))


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ("items", "intervals are made of the answers per item"),
        ("binomial", "intervals are binomial (Wilson) and comparisons unpaired"),
        ("standard error", "published standard errors and comparisons unpaired"),
        ("none", "there is no interval"),
    ],
)
def test_what_an_interval_is_made_of(make, interval, said):
    (sentence,) = told(made(make, "full", interval))
    assert sentence.startswith("full: imported from them; ") and said in sentence


def test_many_rows_of_one_origin_are_one_sentence(make):
    few = told(*(made(make, name) for name in ("full", "frozen")))
    assert few[0].startswith("full, frozen: imported")
    many = [made(make, name) for name in ("full", "frozen", "lora", "other")]
    assert [line.split(": ")[0] for line in told(*many, made(make, "fifth", "items"))] == ["full and 3 others", "fifth"]


def test_our_own_rows_say_nothing(make):
    assert told(make.record()[0]) == []


def binomial(make, strategy, right, items=1319):
    """A row without answers per item."""
    low, high = wilson(right / items, items)
    score = Score(name="accuracy", value=right / items, ci_low=low, ci_high=high, n=items, share=True)
    return make.changed(made(make, strategy), score=score)


@pytest.mark.parametrize(
    ("one", "other", "low"),
    [((56, 70), (48, 80), 0.0524), ((9, 10), (3, 10), 0.1705), ((6, 7), (2, 7), 0.0582), ((5, 56), (0, 29), -0.0381)],
)
def test_two_rows_without_items_are_compared_as_newcombe_does(make, one, other, low):
    """Method 10 of Newcombe 1998, Interval estimation for the difference between independent proportions, table II."""
    rows = aggregate([binomial(make, "full", *one), binomial(make, "frozen", *other)])
    (pair,) = score_standing(rows).pairs
    assert not pair.paired and pair.low == pytest.approx(low, abs=6e-5)
    assert pair.significant == (low > 0)


def test_a_row_without_items_is_never_held_against_one_with_them_in_pairs(make, out):
    ours = make.kept(out, [make.record("full", accuracy=0.9), make.record("frozen", accuracy=0.6)])
    rows = aggregate([*ours, binomial(make, "lora", 150, 200)], out)
    standing = score_standing(rows)
    paired = {frozenset((rows[pair.one].label, rows[pair.other].label)): pair.paired for pair in standing.pairs}
    assert paired == {
        frozenset(("full", "frozen")): True,
        frozenset(("full", "lora")): False,
        frozenset(("frozen", "lora")): False,
    }


def test_equal_rows_without_items_are_rarely_told_apart(make):
    """Ten strategies that answer 1,319 items alike: a false separation anywhere in at most 7 % of 200 tables."""
    draw, wrong = np.random.default_rng(12), 0
    for rights in draw.binomial(1319, 0.48, (200, 10)):
        bounds = [wilson(right / 1319, 1319) for right in rights]
        rows = [Estimate(right / 1319, *ends, "items", 1, scale="wilson") for right, ends in zip(rights, bounds, strict=True)]
        wrong += any(pair.significant for pair in pairs(rows))
    assert wrong <= 0.07 * 200

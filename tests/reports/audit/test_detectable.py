"""The audit's smallest detectable difference: against the worked number of docs/method/scores.md, and against the engine's."""

from dataclasses import replace

import numpy as np
import pytest
from audited import scored
from hypothesis import given, settings
from hypothesis import strategies as st
from ranked_rows import engine_and_audit

from bench.statistics import power
from bench.statistics.binomial import wilson
from bench.statistics.comparison import pairs
from bench.statistics.estimates import Estimate
from bench.statistics.intervals import Spread
from reports.audit.detectable import (
    Average,
    _seeds_at,
    _smallest_found,
    detectable_by_intervals,
    detectable_difference,
    smallest_loss,
    that_vary_alike,
)
from reports.rows.standing import _smallest_detectable


def test_the_worked_number_of_the_docs():
    """Five rows of three seeds, accuracy .85 on 872 items, seed SD .02."""
    average = Average(items=(0.00016, 871.0), parts=[(2 * 0.02**2 / 3, 10.0), (0.0, 0.0)], share=0.85)
    told = [average, *(_seeds_at(average, tail, 10.0) for tail in (0.1, 0.9)), replace(average, items=(0.0, 871.0))]
    assert [round(100 * _smallest_found(each, 0.05 / 10), 1) for each in told] == [9.0, 7.7, 11.8, 7.5]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from(["wilson", "logit", "plain"]), st.sampled_from([0.3, 1.8]))
def test_it_is_the_engines(seed, seeds, scale, threshold):
    """Of rows with few seeds, many and one; of shares of right answers, of other numbers between 0 and 1 and of numbers without
    ends; with high scores and low ones."""
    drawn = np.random.default_rng(seed)
    rows = [drawn.normal(0.6 + shift, 1, (seeds, 30)) + drawn.normal(0, 0.1, (seeds, 1)) for shift in (0.0, 0.05, 0.2)]
    if scale != "plain":
        rows = [(row > threshold).astype(float) for row in rows]
    spread = Spread(0.01, 3 * (seeds - 1)) if seeds > 1 else Spread()
    engine, rivals = engine_and_audit(rows, [spread] * 3, scale)
    audited = detectable_difference(rivals, list(rivals), scale != "plain")
    assert {name: audited["detectable", name] for name in vars(engine)} == pytest.approx(vars(engine), rel=1e-9, abs=1e-11)


def test_seeds_of_two_kinds_count_each_by_itself():
    drawn = np.random.default_rng(3)
    rows = [drawn.normal(0, 1, (2, 30)) for _ in range(2)]
    engine, rivals = engine_and_audit(rows, [Spread(0.2, 2), Spread(0.5, 1)], "plain")
    audited = detectable_difference(rivals, list(rivals), False)
    assert audited["detectable", "value"] == pytest.approx(engine.value, rel=1e-9)
    assert audited["detectable", "floor"] == pytest.approx(engine.floor, rel=1e-9) and engine.floor > 0


def test_seeds_that_only_their_own_answers_move_set_no_floor():
    drawn = np.random.default_rng(3)
    rows = [drawn.normal(0, 1, (2, 30)) for _ in range(2)]
    engine, rivals = engine_and_audit(rows, [Spread(0.02, 2)] * 2, "plain")
    assert detectable_difference(rivals, list(rivals), False)["detectable", "floor"] == engine.floor == 0 < engine.value


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.sampled_from([32, 96, 256]))
def test_rows_that_give_every_item_the_same_answer_show_no_difference(seed, seeds, others, items):
    """They vary alike, and rounding alone made something of it, on either side something else."""
    right = (np.random.default_rng(seed).uniform(size=items) < 0.5).astype(float)
    rows = [np.tile(right, (count, 1)) for count in (seeds, others)]
    engine, rivals = engine_and_audit(rows, [Spread(0.0, seeds + others - 2)] * 2, "wilson")
    assert engine is None and detectable_difference(rivals, list(rivals), True) == {}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from([60, 80])), min_size=2, max_size=5))
def test_of_rows_by_their_intervals_it_is_the_engines(counts):
    """Of equal shares too, whose intervals are not alike where their items are not as many."""
    shares = [(right / items, *wilson(right / items, items)) for right, items in counts]
    estimates = [Estimate(*share, "items", 1) for share in shares]
    engine = _smallest_detectable(range(len(shares)), estimates, pairs(estimates))
    audited = detectable_by_intervals(dict(zip("abcde", shares, strict=False)), "abcde")
    assert {name: audited["detectable", name] for name in vars(engine)} == pytest.approx(vars(engine), rel=1e-9)


def test_intervals_of_no_width_tell_no_difference():
    assert detectable_by_intervals({"a": (0.5, 0.5, 0.5), "b": (0.6, 0.6, 0.6)}, "ab") == {}


def test_nothing_is_told_where_nothing_varies():
    _, rivals = engine_and_audit([np.ones((1, 5)), np.ones((1, 5))], [Spread()] * 2, "plain")
    assert detectable_difference(rivals, list(rivals), False) == {}
    _, varying = engine_and_audit([np.arange(5.0)[None], np.arange(5.0)[None] ** 2], [Spread()] * 2, "plain")
    assert detectable_difference(varying, list(varying), False)


@pytest.mark.parametrize(("low", "high", "items"), [(0.1, 0.4, 64), (-0.02, 0.03, 9)])
def test_the_loss_that_a_probe_would_have_shown_is_the_engines(low, high, items):
    assert smallest_loss(low, high, items) == pytest.approx(power.smallest_shown(low, high, items), rel=1e-12)


def row_of(record, trains, collapsed):
    cost = record.cost.model_copy(update={"train_examples": 16 if trains else 0})
    outcome = record.outcome.model_copy(update={"collapsed": "one label" if collapsed else None})
    return [record.model_copy(update={"cost": cost, "outcome": outcome})]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({"full": "t", "frozen": "t", "zero-shot": ""}, ["full", "frozen"]),
        ({"full": "t", "frozen": "tc", "lora": "t", "zero-shot": ""}, ["full", "lora"]),
        ({"full": "t", "frozen": "tc", "zero-shot": ""}, ["full", "zero-shot"]),  # one that trains and learned is no pair
        ({"full": "tc", "frozen": "tc", "zero-shot": ""}, ["full", "frozen"]),
        ({"few-shot": "", "zero-shot": "c"}, ["few-shot", "zero-shot"]),
    ],
)
def test_which_rows_it_is_told_of(rows, expected):
    record, _ = scored()
    made = {name: row_of(record, "t" in how, "c" in how) for name, how in rows.items()}
    assert that_vary_alike(made) == expected

"""Rows over several tasks by the audit's own loops, against scipy and the engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, trim_mean

from bench.statistics import across
from reports.audit.across import TaskScores, critical_of_places, middle_half, over_tasks

NAMES = ("full", "frozen", "lora")


def tasks_of(scores):
    """(tasks, rows, seeds), shares of right answers over a base of .25."""
    return [TaskScores("accuracy", dict(zip(NAMES, task, strict=True)), [0.25, 0.2]) for task in scores.tolist()]


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_the_middle_half_is_scipys(scores):
    assert middle_half(scores) == pytest.approx(float(trim_mean(scores, 0.25)), abs=1e-12)


@pytest.mark.parametrize(("rows", "tasks"), [*((2, tasks) for tasks in range(1, 26)), (7, 5)])
def test_the_critical_difference_is_the_engines(rows, tasks):
    assert critical_of_places(rows, tasks) == pytest.approx(across.critical_difference(rows, tasks), rel=1e-12)


def test_the_critical_difference_of_demsar():
    """Demsar 2006, table 5: q of 4 rows at .05 is 2.569; on 14 tasks it comes to 1.25 (his example)."""
    assert critical_of_places(4, 14) == pytest.approx(2.569 * (4 * 5 / (6 * 14)) ** 0.5, rel=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_rows_over_tasks_are_the_engines(seed, seeds):
    scores = np.round(np.random.default_rng(seed).uniform(0.2, 0.6, (4, 3, seeds)), 2)  # with ties
    told, ways = over_tasks(tasks_of(scores)), (scores - 0.25) / 0.75
    places = across.average_ranks(ways.mean(-1).T)
    for row, name in enumerate(NAMES):
        mine = list(ways[:, row])
        assert told["together", name, "middle"] == pytest.approx(across.interquartile_mean(mine), abs=1e-12)
        assert told["together", name, "rank"] == pytest.approx(float(places[row]), abs=1e-12)
        bounds = across.stratified_bounds(mine)
        if bounds is None:
            assert ("together", name, "ci_low") not in told
        else:
            assert [told["together", name, end] for end in ("ci_low", "ci_high")] == pytest.approx(bounds, abs=1e-12)


def test_equal_means_share_a_place_and_far_ones_have_their_own():
    level = tasks_of(np.array([[[0.5], [0.5], [0.3]]] * 2))
    told = over_tasks(level)
    assert [told["together", name, "rank"] for name in NAMES] == [1.5, 1.5, 3.0] == list(rankdata([-5, -5, -3]))
    assert {told["together", name, "best"] for name in NAMES} == {1.0}  # two tasks tell no rows apart
    many = over_tasks(tasks_of(np.array([[[0.5], [0.4], [0.3]]] * 20)))
    assert [(many["together", name, "best"], many["together", name, "worst"]) for name in NAMES] == [(1, 1), (2, 2), (3, 3)]


def test_lower_is_better_of_what_has_no_share():
    """A text that is foretold for sure has a perplexity of 1, and the base's was 5."""
    task = TaskScores("perplexity", {"full": [3.0]}, [6.0, 5.0])
    assert task.normalised("full") == [0.5]

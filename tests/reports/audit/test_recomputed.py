"""A record's numbers from its items; what is not there is left out and never guessed."""

import pandas as pd
import pytest
from audited import METRICS, scored

from reports.audit.published import published
from reports.audit.recomputed import recomputed


@pytest.mark.parametrize("task", METRICS)
def test_every_number_of_the_answers_is_found(task):
    record, items = scored(task)
    found, outcome = recomputed(record, items), record.outcome
    assert found["score", "value"] == pytest.approx(outcome.score.value, rel=1e-12)
    assert found["gain", "value"] == pytest.approx(outcome.gain.value, rel=1e-12)
    assert found["best_base", "gain", "value"] == pytest.approx(outcome.best_base.gain.value, rel=1e-12)
    assert {place[1] for place in found if place[0] == "elsewhere"} == set(METRICS) - {task}
    assert {place[1] for place in found if place[0] == "metrics"} == set(outcome.metrics)
    assert (("robustness", "scores", "{text}?", "value") in found) == (task != "plots")


def test_reference_answers_are_scored_like_the_run():
    record, items = scored()
    constant = items[items["kind"] == "task"].assign(kind="reference", name="always positive", prediction="positive")
    found = recomputed(record, pd.concat([items, constant]))
    assert found["references", "always positive", "value"] == (constant["gold"] == "positive").mean()


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (lambda gold: gold, 0.0),
        (lambda gold: "negative", 1.0),
        (lambda gold: "positive", 1.0),
        (lambda gold: "negative" if gold == "positive" else "positive", 1.0),
    ],
)
def test_whether_a_run_collapsed_is_told_by_its_answers(answers, expected):
    """Planted fault: the flag moves the intervals of a whole table, and the audit believed it."""
    record, items = scored()
    task = items["kind"] == "task"
    items.loc[task, "prediction"] = items.loc[task, "gold"].map(answers)
    assert ("collapsed",) not in recomputed(record, items) and ("collapsed",) not in published(record)
    constant = items[task].assign(kind="reference", name="constant answer", prediction="positive")
    assert recomputed(record, pd.concat([items, constant]))["collapsed",] == expected
    beside = record.outcome.model_copy(
        update={"references": {"constant answer": record.outcome.score}, "collapsed": "one label"}
    )
    assert published(record.model_copy(update={"outcome": beside}))["collapsed",] == 1.0


def test_what_is_missing_is_left_out():
    record, items = scored()
    assert recomputed(record, pd.DataFrame()) == {}
    task = items["kind"] == "task"
    found = recomputed(record, items.assign(prediction=items["prediction"].mask(task)))
    assert ("score", "value") not in found and ("gain", "value") not in found
    assert found["base_score",] == record.outcome.base_score and ("relative_forgetting",) in found
    assert ("base_score",) not in recomputed(record, items.drop(columns=["before"]))


def test_one_wording_alone_has_no_spread():
    record, items = scored()
    alone = items[(items["kind"] != "wording") | (items["name"] == "{text}?")]
    assert not any(place[0] == "robustness" for place in recomputed(record, alone))

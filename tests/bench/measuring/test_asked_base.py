"""The base model is asked once what a run is held against, in the run's words and in its own best."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest

from bench import folders
from bench.inference.local import LocalBackend
from bench.measuring import asked_base
from bench.measuring.base_results import FIRST_ITEMS
from bench.measuring.loaded_base import LoadedBase
from bench.measuring.untouched import Untouched
from bench.tasks.types import task_type

pytestmark = pytest.mark.usefixtures("cache")

ANSWERS = pd.DataFrame({"item": ["a", "b"], "gold": [[1, 2], []], "prediction": ["x", "y"], "value": [0.1, 0.7]})


def test_what_was_measured_once_is_not_measured_again(session, loads, monkeypatch):
    first = Untouched(session).asked
    test, probes = first.predictions(session.sets.test), first.probe_items(session.probes)
    assert loads == [32] and len(test) == 12 and list(probes) == ["mrpc"]
    monkeypatch.setattr(LocalBackend, "embeddings", lambda *_: pytest.fail("the base was asked again"))
    again = Untouched(session).asked
    pd.testing.assert_frame_equal(again.predictions(session.sets.test), test)
    pd.testing.assert_frame_equal(again.probe_items(session.probes)["mrpc"], probes["mrpc"])
    assert loads == [32]  # not even loaded


def test_a_baseline_holds_all_and_loads_each_base_once(rounded, loads):
    base = Untouched(rounded).asked.results()
    assert loads == [32, 8]
    assert set(base.elsewhere) == {"amazon", "tweets", "nyt"} and base.validation is None and base.stages == []
    assert len(base.probes["mrpc"]) == len(base.rounded["mrpc"]) == 6 and len(base.first_items["mrpc"]) == FIRST_ITEMS
    assert base.probes["mrpc"]["value"].tolist() != base.rounded["mrpc"]["value"].tolist()
    kept = Untouched(rounded).asked.results()
    assert loads == [32, 8] and kept.probes["mrpc"].equals(base.probes["mrpc"])


def test_an_unrounded_base_is_not_measured_twice(session, loads):
    whole = replace(session, run=replace(session.run, probe_every="50%"))
    base = Untouched(whole).asked.results()
    assert loads == [32] and base.rounded == {} and base.validation is not None


def test_every_row_is_held_against_the_same_base_whatever_it_trains_on(session, rounded):
    whole, packed = Untouched(session).asked.results(), Untouched(rounded).asked.results()
    assert whole.probes["mrpc"].equals(packed.probes["mrpc"]) and whole.test.same.equals(packed.test.same)


RIGHT = {
    ("plain", "validation"): 0.9,
    ("plain", "test"): 0.5,
    ("instruction", "validation"): 0.6,
    ("instruction", "test"): 0.75,
}
"""Share of right answers by wording and split: the plain wording does best on validation, and worse on the test."""


def test_the_base_is_asked_in_the_rows_words_and_in_those_that_validation_chose(planned, opened, decoder_folder, monkeypatch):
    def answered(backend, evalset):
        assert evalset.head is None and evalset.wording.shots == 0
        examples = evalset.examples
        right = round(RIGHT[evalset.wording.style, evalset.split] * len(examples))
        given = [e.gold if i < right else "wrong" for i, e in enumerate(examples)]
        return pd.DataFrame({"item": [e.id for e in examples], "gold": [e.gold for e in examples], "prediction": given})

    monkeypatch.setattr(asked_base, "predict", answered)
    monkeypatch.setattr(LoadedBase, "backend", lambda self, rounding=None: None)

    def found(strategy, **changed):
        session = opened(planned(strategy, "sentiment", decoder_folder))
        task = task_type(session.run.task.model_copy(update=changed))
        answers = Untouched(session).asked.answers(replace(session.sets.test, task=task))
        shares = [(frame["gold"] == frame["prediction"]).mean() for frame in (answers.same, answers.best)]
        return (*shares, answers.best_style)

    assert found("instruction") == (0.75, 0.5, "plain")  # asked as the row is, and in what validation found best
    assert found("full") == found("zero-shot") == found("few-shot") == (0.5, 0.5, "plain")
    monkeypatch.setitem(RIGHT, ("plain", "validation"), 0.3)
    shutil.rmtree(folders.cache() / "base")
    assert found("full") == (0.5, 0.75, "instruction")
    assert found("full", instructions=None) == (0.5, 0.5, "plain")  # the only words that there are


def test_a_model_may_name_bf16_as_what_its_user_had(session, loads):
    named = replace(session, run=replace(session.run, model=replace(session.run.model, reference_precision="bf16")))
    base = Untouched(named).asked.results()
    assert loads == [16, 32]
    difference = (base.probes["mrpc"]["value"] - base.rounded["mrpc"]["value"]).abs().max()
    assert 0 < difference < 0.05
    assert named.run.id != session.run.id


def test_known_answers_are_kept_instead_of_measured(session, loads):
    first = Untouched(session).asked
    assert first.predictions(session.sets.test, ANSWERS) is ANSWERS
    assert first.probe_items(session.probes, known={"mrpc": ANSWERS})["mrpc"] is ANSWERS
    # Lists come back as lists: metrics tell them from arrays.
    assert Untouched(session).asked.predictions(session.sets.test).to_dict("list") == ANSWERS.to_dict("list")
    assert Untouched(session).asked.probe_items(session.probes)["mrpc"].to_dict("list") == ANSWERS.to_dict("list")
    assert loads == []

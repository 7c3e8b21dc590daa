"""Trials on disk, beside the records and not among them."""

import json
import shutil

import pytest

from bench.errors import UserError
from bench.records import store
from bench.records.record import Provenance, Setup
from bench.records.trial import TrialRecord, find_trial, read_trials, write_trial


def made(trial_id="abc", **more):
    setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=1000, budget="32examples")
    found = {"status": "failed", "setup": setup, "sampled": {"learning_rate": 1e-4}, "reason": "it failed"}
    return TrialRecord(trial_id=trial_id, provenance=Provenance(versions={}, device={}), **(found | more))


def test_a_trial_is_written_and_read_and_is_no_record(tmp_path):
    assert find_trial(tmp_path, "abc") is None and read_trials(tmp_path) == []
    path = write_trial(tmp_path, made())
    write_trial(tmp_path, made("abb"))
    assert path.parent.name == "trials" and find_trial(tmp_path, "abc") == made() and made().worth is None
    assert [trial.trial_id for trial in read_trials(tmp_path)] == ["abb", "abc"]
    assert store.read_all(tmp_path) == []


def test_a_damaged_trial_is_named(tmp_path):
    path = write_trial(tmp_path, made())
    path.write_text("{}")
    with pytest.raises(UserError, match=r"abc\.json: not a trial \(trial_id: Field required\); delete it"):
        find_trial(tmp_path, "abc")


def test_an_old_trial_is_read_without_loss(old_trial, lost, tmp_path):
    raw = json.loads(old_trial.read_text(encoding="utf-8"))
    trials = tmp_path / "trials"
    trials.mkdir()
    shutil.copy(old_trial, trials / f"{raw['trial_id']}.json")
    (trial,) = read_trials(tmp_path)
    assert trial == find_trial(tmp_path, raw["trial_id"])
    assert lost(raw, trial.model_dump(mode="json")) == []
    assert trial.worth == raw["score"]["value"] and trial.sampled == {"learning_rate": raw["sampled"]["learning_rate"]}
    assert [(rung.share, rung.score) for rung in trial.rungs] == [(each["share"], each["score"]) for each in raw["rungs"]]


def test_an_old_record_names_its_old_trial(old_of_2, sampled_trial):
    tried, cost = old_of_2("tuned").setup.tuning.tried[1], sampled_trial.cost
    assert tried.ids == [sampled_trial.trial_id] and tried.hyperparameters == sampled_trial.sampled
    assert (tried.score, tried.status) == (sampled_trial.score.value, sampled_trial.status)
    assert (tried.spent.examples, tried.spent.tokens) == (cost.train_examples, cost.train_tokens)
    assert (tried.spent.flops, tried.spent.seconds) == (cost.train_flops, cost.train_seconds)

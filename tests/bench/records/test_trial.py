"""Trials on disk, beside the records and not among them."""

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

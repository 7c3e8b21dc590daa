"""A run that was stopped anywhere and asked for again has the record that it would have had: bit for bit, clocks aside."""

import json
from dataclasses import replace

import pandas as pd
import pytest
import torch
from transformers import AutoModelForSequenceClassification
from ways import VALIDATION_ITEMS

from bench.measuring import best_wording, checks, evaluation
from bench.measuring.untouched import Untouched
from bench.probes.similarity import Similarity
from bench.processes import stopping
from bench.progress import Progress
from bench.records import store
from bench.running import execution, perform, stages, trial
from bench.running.assignments import Workplace
from bench.running.trial import Trial, perform_trial
from bench.runs import run_folder
from bench.runs.run_folder import KeepOptions, RunFolder, checkpoint_folder, remove_checkpoint
from bench.specs.checkpoint_every import CheckpointInterval

EVERY_STEP = KeepOptions(CheckpointInterval(steps=1))


def taken_as_held(patch):
    """What has tests of its own."""
    patch.setattr(best_wording, "VALIDATION_ITEMS", VALIDATION_ITEMS)
    patch.setattr(stages, "VALIDATION_ITEMS", 8)
    patch.setattr(Untouched, "self_tests", lambda self: {})
    for name in ("fresh_adapter", "trained_model"):
        patch.setattr(checks, name, lambda *_: {})


@pytest.fixture(autouse=True)
def quick(own_cache, monkeypatch):
    taken_as_held(monkeypatch)


def executed(run, out, device):
    (record,) = execution.execute([run], Workplace(out, device, Progress(False, 1), True, EVERY_STEP))
    return record


def found(record, out):
    """What must not depend on where it was stopped: all numbers and all answers, but for what the clock says."""
    outcome, items = record.outcome.model_dump(), store.read_items(out, record)
    counts = record.cost.model_dump(include={"train_examples", "train_tokens", "train_flops", "useful_flops", "saved_bytes"})
    return outcome, counts, items.astype(object).where(items.notna(), None).to_dict("list")


class Once:
    """Stops whatever is called for the n-th time; calls after it go through."""

    def __init__(self, monkeypatch, target, name, number):
        self.count, self.number, own = 0, number, getattr(target, name)

        def called(*given, **named):
            self.count += 1
            if self.count == self.number:
                raise stopping.Stopped("here")
            return own(*given, **named)

        monkeypatch.setattr(target, name, called)


@pytest.fixture(scope="module")
def run(planned):
    made = planned("multitask", settings=["early_stopping=3", "learning_rate=1e-3"], probe_every="1")
    return replace(made, other_items=4)


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory, device, own_cache):
    out = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        taken_as_held(patch)
        record = executed(run, out, device)
    assert record.status == "ok", record.reason
    return found(record, out)


PLACES = [
    *[(Progress, "step", number) for number in (1, 2)],  # in the first step's watches, before anything of it is kept
    *[(stages, "restore", 1), (perform, "evaluate", 1)],
    *[(evaluation, "predict", number) for number in (1, 3)],
    *[(Similarity, "measure", 2), (perform, "recorded", 1), (store, "writing", 2)],
]


@pytest.mark.parametrize(("target", "name", "number"), PLACES, ids=[f"{name}-{number}" for _, name, number in PLACES])
def test_it_has_the_same_record(run, whole, tmp_path, device, target, name, number):
    out = tmp_path / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        once = Once(patch, target, name, number)
        with pytest.raises(stopping.Stopped):
            executed(run, out, device)
        assert once.count == number
        assert not list(store.folder(out).glob("*.json")) and checkpoint_folder(out, run.id).exists()
    record = executed(run, out, device)
    assert found(record, out) == whole
    assert not (out / "checkpoints").exists()  # it goes when the record is there


def test_it_does_not_train_or_ask_again_what_it_has(run, tmp_path, device, monkeypatch):
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        Once(patch, perform, "recorded", 1)
        with pytest.raises(stopping.Stopped):
            executed(run, out, device)
    for target, name in ((stages, "train"), (evaluation, "predict"), (Similarity, "measure")):
        monkeypatch.setattr(target, name, lambda *_, **__: pytest.fail("again"))
    record = executed(run, out, device)
    assert record.cost.eval_seconds >= record.cost.probe_seconds > 0 and record.cost.train_seconds > 0


@pytest.mark.slow
def test_several_stages_go_on_with_the_one_they_were_in(planned, tmp_path, device):
    staged = replace(planned("full", suite="stages", test_items=4), other_items=4)
    whole = found(executed(staged, tmp_path / "whole", device), tmp_path / "whole")
    for target, name, number in ((Progress, "step", 4), (stages, "predict", 5)):
        out = tmp_path / f"{name}"
        with pytest.MonkeyPatch.context() as patch:
            Once(patch, target, name, number)
            with pytest.raises(stopping.Stopped):
                executed(staged, out, device)
        assert found(executed(staged, out, device), out) == whole


def test_a_trial_goes_on_too(planned, device, tmp_path):
    trained = planned("full", budget="64", settings=["learning_rate=1e-3"])
    asked = Trial(trained, {"learning_rate": 1e-3}, items=8)

    def done(out):
        own = RunFolder.of(out, asked.id, device, Progress(False, 1), EVERY_STEP)
        return perform_trial(asked, device, Progress(False, 1), lambda scores: False, own)

    whole = done(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        Once(patch, Progress, "step", 3)
        with pytest.raises(stopping.Stopped):
            done(tmp_path / "stopped")
    again = done(tmp_path / "stopped")
    assert (again.score, again.rungs, again.status) == (whole.score, whole.rungs, "ok") and len(again.rungs) == 2
    assert tuple(rung.share for rung in again.rungs) == trial.RUNGS


def test_a_model_that_is_to_stay_is_the_one_that_was_asked(planned, tmp_path, device, monkeypatch):
    """With `--keep-model`; a run that was done without it is told."""
    said, trained, short = [], [], replace(planned("full"), probes=(), other_items=4)
    monkeypatch.setattr(Progress, "say", lambda self, text: said.append(text))
    evaluate = perform.evaluate
    monkeypatch.setattr(perform, "evaluate", lambda backend, *rest: trained.append(backend.module) or evaluate(backend, *rest))
    executed(short, tmp_path, device)
    assert not (tmp_path / "models").exists()
    keep = KeepOptions(model=True)
    execution.execute([short], Workplace(tmp_path, device, Progress(False, 1), keep=keep))
    assert "has a record and no model" in said[-1] and not (tmp_path / "models").exists()
    (tmp_path / "records" / f"{short.id}.json").unlink()
    execution.execute([short], Workplace(tmp_path, device, Progress(False, 1), keep=keep))
    folder = tmp_path / "models" / short.id
    assert f"the trained model: {folder}" in said
    again = AutoModelForSequenceClassification.from_pretrained(folder).state_dict()
    assert all(torch.equal(weight, again[name]) for name, weight in trained[-1].state_dict().items())


def test_a_run_that_was_skipped_is_told_no_way_to_its_model(planned, tmp_path, device, monkeypatch):
    """It would be skipped again."""
    said, skipped = [], replace(planned("full", budget="3tokens"), probes=(), other_items=4)
    monkeypatch.setattr(Progress, "say", lambda self, text: said.append(text))
    for _ in range(2):
        place = Workplace(tmp_path, device, Progress(False, 1), keep=KeepOptions(model=True))
        (record,) = execution.execute([skipped], place)
        assert record.status == "skipped" and not said


@pytest.mark.parametrize("stamp", ["", "{", json.dumps({"run": "x", "environment": "another"})])
def test_what_does_not_fit_is_told_and_thrown_away(tmp_path, device, monkeypatch, stamp):
    said = []
    monkeypatch.setattr(Progress, "say", lambda self, text: said.append(text))
    folder = checkpoint_folder(tmp_path, "x")
    folder.mkdir(parents=True)
    (folder / "stamp.json").write_text(stamp)
    (folder / "training.safetensors").write_text("old")
    RunFolder.of(tmp_path, "x", device, Progress(False, 1), KeepOptions())
    assert len(said) == 1 and "the run starts anew" in said[0]
    assert [path.name for path in folder.iterdir()] == ["stamp.json"]
    RunFolder.of(tmp_path, "x", device, Progress(False, 1), KeepOptions())
    assert len(said) == 1  # now it fits


def test_answers_of_another_training_are_not_used(tmp_path, device, planned):
    """Where the training can't be gone on with, what its model has answered goes too."""
    own = RunFolder.of(tmp_path, "x", device, Progress(False, 1), KeepOptions())
    own.answers("probe", "mrpc", device, lambda: pd.DataFrame({"value": [1.0]}))
    own.resume_training(perform.adapted(planned("full"), device), run_folder.PeakMemory(False), device, Progress(False, 1))
    assert own.answers("probe", "mrpc", device, lambda: pd.DataFrame({"value": [2.0]}))["value"].tolist() == [2.0]


def test_without_a_folder_nothing_is_kept(device):
    frame = RunFolder().answers("test", "", device, lambda: pd.DataFrame({"value": [1.0]}))
    assert frame.attrs["seconds"] >= 0 and RunFolder().resume_training(None, None, device, None).keeper is None


def test_a_folder_goes_with_its_last_run(tmp_path):
    for name in ("a", "b"):
        checkpoint_folder(tmp_path, name).mkdir(parents=True)
    remove_checkpoint(tmp_path, "a")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["b"]
    remove_checkpoint(tmp_path, "b")
    remove_checkpoint(tmp_path, "b")
    assert not (tmp_path / "checkpoints").exists()

"""What trackers are told is read back from where they keep it: TensorBoard's event files, MLflow's local SQLite store."""

import errno
import os

import pytest

from bench.errors import UserError
from bench.progress import Progress
from bench.running import perform, tracking
from bench.running.tracking import choose_trackers, results_of, settings_of, track, tracked
from bench.runs.run_folder import RunFolder


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in (tracking.TRACKER_NAMES, tracking.TRACKING_FOLDER, "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.mark.slow
def test_a_run_is_read_back_from_tensorboard_and_mlflow(planned, device, tmp_path):
    mlflow = pytest.importorskip("mlflow", reason="mlflow-skinny of the extra `track` is not installed")
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="no tensorboard")
    run = planned("full")
    choose_trackers(["tensorboard", "mlflow"], tmp_path)
    record, _ = perform.perform(run, device, Progress(False, 1), RunFolder())
    assert device.accelerator.trackers == []

    (found,) = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path / 'tracking' / 'mlflow.db'}"
    assert found.info.run_name == run.label and found.info.status == "FINISHED"
    assert found.data.params["strategy"] == "full" and found.data.params["run_id"] == run.id
    assert float(found.data.params["learning_rate"]) == run.strategy.hyperparameters.learning_rate
    results = results_of(record)
    assert {name: found.data.metrics[name] for name in results} == pytest.approx(results)
    losses = mlflow.MlflowClient().get_metric_history(found.info.run_id, "loss")
    assert [each.step for each in losses] == [1, 2]  # 32 examples in batches of 16

    (file,) = [path for path in (tmp_path / "tracking" / "tensorboard").rglob("events.*") if path.parent.name == run.suite]
    reader = events.EventAccumulator(str(file.parent)).Reload()
    assert [(each.step, each.value) for each in reader.Scalars("loss")] == [(e.step, pytest.approx(e.value)) for e in losses]
    assert {name: reader.Scalars(name)[-1].value for name in results} == pytest.approx(results, rel=1e-6)
    assert any(name.startswith("forgetting/mrpc") for name in results) and results["cost/train_examples"] == 32


def test_nothing_is_tracked_unless_it_is_asked_for(planned, device, tmp_path):
    with tracked(planned("full"), device, print) as told:
        assert told == [] and device.accelerator.trackers == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_leaves_no_tracker_open(planned, device, tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard of the extra `track` is not installed")
    choose_trackers(["tensorboard"], tmp_path)
    with pytest.raises(RuntimeError, match="no"), tracked(planned("full"), device, print):
        assert [tracker.name for tracker in device.accelerator.trackers] == ["tensorboard"]
        raise RuntimeError("no")
    assert device.accelerator.trackers == []


def test_a_tracker_that_fails_takes_nothing_from_the_run(planned, device, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard", reason="tensorboard of the extra `track` is not installed")
    choose_trackers(["tensorboard"], tmp_path)
    run, said, finished = planned("full"), [], []

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with tracked(run, device, said.append):
        (tracker,) = device.accelerator.trackers
        monkeypatch.setattr(tracker, "log", full)
        monkeypatch.setattr(tracker, "finish", lambda: finished.append(1))
        for step in range(3):
            track(device.accelerator, {"loss": 1.0}, said.append, step)
    assert len(said) == len(finished) == 1 and said[0].startswith("this run is not tracked any further: cannot write ")
    monkeypatch.setattr(tracking, "_start_trackers", full)
    with tracked(run, device, said.append):
        track(device.accelerator, {"loss": 1.0}, said.append, 0)
    assert said[1] == said[0] and "No space left on device; free some space there" in said[0]


def test_settings_are_flat(planned):
    found = settings_of(planned("lora-8bit"))
    assert found["peft.r"] == 8 and found["budget"] == "32examples" and found["task"] == "vader-movies"
    assert all(isinstance(value, str | int | float | bool) for value in found.values())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tensorbord", "unknown tracker 'tensorbord'; did you mean tensorboard"),
        ("wandb", "--track wandb: its package is not installed"),
    ],
)
def test_what_cannot_be_tracked_is_told_at_once(monkeypatch, tmp_path, name, sentence):
    monkeypatch.setattr(tracking, "get_available_trackers", lambda: ["tensorboard"])
    with pytest.raises(UserError, match=sentence):
        choose_trackers([name], tmp_path)

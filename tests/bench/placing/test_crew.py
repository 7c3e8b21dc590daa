"""Who does the runs of a suite: this process unless workers are asked for."""

import pytest

from bench.errors import UserError
from bench.placing import crew as module
from bench.placing.crew import Crew, workers_of
from bench.placing.messages import WorkerSetting
from bench.placing.pool import WorkerPool
from bench.placing.slot import Slot
from bench.running.assignments import in_turn
from bench.runs.run_folder import DEFAULT_KEEP


@pytest.fixture
def setting(tmp_path):
    return WorkerSetting(tmp_path, "fp32", False, DEFAULT_KEEP)


@pytest.mark.parametrize(
    ("workers", "count", "pooled"), [("1", 2, False), ("2", 2, True), ("auto", 2, True), ("auto", 1, False)]
)
def test_one_worker_is_this_process(planned, setting, monkeypatch, workers, count, pooled):
    monkeypatch.setattr(module, "slots", lambda wanted, needed: [Slot(n, (n,)) for n in range(wanted or count)])
    with workers_of(Crew(workers), [planned("zero-shot")], setting) as found:
        assert isinstance(found, WorkerPool) if pooled else found is in_turn


def test_where_nothing_waits_nobody_is_asked(setting):
    with workers_of(Crew("auto"), [], setting) as found:
        assert found is in_turn


def test_workers_and_a_launcher_exclude_each_other(planned, setting, monkeypatch):
    monkeypatch.setattr(module, "processes", lambda: 2)
    with pytest.raises(UserError, match="leave the launcher out"), workers_of(Crew("2"), [planned("zero-shot")], setting):
        pass


@pytest.mark.parametrize(
    ("crew", "told"),
    [
        (Crew("none"), "no number of workers"),
        (Crew("2", "slurm"), "engine 'slurm' is unknown; choose process or ray"),
        (Crew("2", "process", "10.0.0.1:6379"), "--address is of a Ray cluster; add --engine ray"),
    ],
)
def test_what_is_wrong_is_told(crew, told):
    with pytest.raises(UserError, match=told):
        crew.checked(1)


@pytest.mark.parametrize(("gpus", "found"), [(["0", "1"], WorkerPool), (["0"], type(in_turn))])
def test_one_gpu_is_this_process_s(planned, setting, monkeypatch, gpus, found):
    monkeypatch.setattr(module, "visible_gpus", lambda wanted: gpus)
    monkeypatch.setattr(module, "gpu_bytes", lambda: 10**9)
    with workers_of(Crew("auto"), [planned("zero-shot")], setting) as doers:
        assert type(doers) is found


def test_a_run_that_no_device_of_a_cluster_holds_is_told_before_anything_starts(planned, setting, monkeypatch):
    monkeypatch.setattr(module.cluster, "connect", lambda address: None)
    monkeypatch.setattr(module.cluster, "cluster_slots", lambda wanted, work: [Slot(0)])
    monkeypatch.setattr("bench.placing.cluster_memory._largest_room", lambda: (10**6, "GPU"))
    told = r"is planned to hold 0.\d GB, and no GPU of the Ray cluster"
    with pytest.raises(UserError, match=told), workers_of(Crew("auto", "ray"), [planned("full")], setting):
        pass


def test_a_run_that_no_gpus_hold_is_told_before_anything_starts(planned, setting, monkeypatch):
    monkeypatch.setattr(module, "visible_gpus", lambda wanted: ["0", "1"])
    monkeypatch.setattr(module, "gpu_bytes", lambda: 10**6)
    run = planned("full")
    told = r"is planned to hold 0.\d GB, 0.\d on each of 2 GPUs, and a GPU here has 0.0; give --budget"
    with pytest.raises(UserError, match=told), workers_of(Crew("2"), [planned("zero-shot"), run], setting):
        pass

"""A run has several GPUs where one doesn't hold it, or where there are more GPUs than runs. CPU processes stand in for GPUs."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench.devices import hardware
from bench.errors import UserError
from bench.placing import teams as module
from bench.placing.crew import Crew, workers_of
from bench.placing.messages import WorkerSetting
from bench.placing.teams import check_held, gpus_needed, teams
from bench.progress import Progress
from bench.records import store
from bench.running import execution
from bench.running.assignments import Workplace
from bench.runs.run_folder import DEFAULT_KEEP

GB = 10**9


@pytest.fixture
def works(monkeypatch):
    """Runs that hold so many GB each."""
    monkeypatch.setattr(module, "bytes_held", lambda run, devices=1: run.held / devices)

    def made(*held, batch=16, placement=None):
        runs = [SimpleNamespace(held=each * GB, batch=batch, placement=placement) for each in held]
        return [SimpleNamespace(id=str(n), run=run) for n, run in enumerate(runs)]

    return made


@pytest.mark.parametrize(
    ("held", "gpus", "expected"),
    [
        ([10] * 9, 8, [(8, 1, "", 9)]),
        ([10] * 8, 8, [(8, 1, "", 8)]),
        ([10] * 3, 8, [(4, 2, "gpus", 3)]),  # fewer than GPUs
        ([10], 8, [(1, 8, "gpus", 1)]),
        ([100] * 9, 8, [(4, 2, "fsdp2", 9)]),  # one doesn't hold it
        ([200] * 9, 8, [(2, 4, "fsdp2", 9)]),  # three do, and so would leave two over
        ([100] * 2, 8, [(2, 4, "fsdp2", 2)]),
        ([10] * 9 + [200, 100, 300] * 4, 8, [(2, 4, "fsdp2", 8), (4, 2, "fsdp2", 4), (8, 1, "", 9)]),
        ([900], 8, [(1, 8, "fsdp2", 1)]),
        ([], 8, []),
    ],
)
def test_as_many_gpus_as_it_needs_or_as_there_are_to_spare(works, held, gpus, expected):
    found = teams([str(number) for number in range(gpus)], 80 * GB, works(*held))
    assert [(len(slots), len(slots[0].gpus), slots[0].launch, len(group)) for slots, group in found] == expected
    assert all(len({gpu for slot in slots for gpu in slot.gpus}) == gpus for slots, _ in found), "each is somebody's"


def test_no_more_gpus_than_examples_of_a_step(works):
    ((slots, _),) = teams(["4", "5", "6"], 80 * GB, works(10, batch=2))
    assert [slot.gpus for slot in slots] == [("4", "5")]


def test_a_run_that_seconds_limit_has_the_one_gpu_of_its_id(works):
    ((slots, group),) = teams(["0", "1", "2", "3"], 80 * GB, works(10, placement="cuda x 1") + works(10))
    assert [(slot.gpus, slot.launch) for slot in slots] == [((gpu,), "") for gpu in "0123"] and len(group) == 2


def test_what_no_team_can_do_is_told_before_anything_starts(monkeypatch):
    monkeypatch.setattr(module, "bytes_held", lambda run, devices=1: run.held / devices)

    def run(held, bits=32, placement=None):
        strategy = SimpleNamespace(name="mine", bits=bits, compiles=False)
        return SimpleNamespace(held=held * GB, label="a run", strategy=strategy, placement=placement)

    check_held([run(150), run(80, bits=8), run(80, placement="cuda x 1")], 2, 80 * GB)
    with pytest.raises(
        UserError, match="a run is planned to need 2 GPUs, and the seconds of its budget are planned for cuda x 1;"
    ):
        check_held([run(150, placement="cuda x 1")], 2, 80 * GB)
    with pytest.raises(UserError, match=r"hold 170.0 GB, 85.0 on each of 2 GPUs, and a GPU here has 80.0; give --budget"):
        check_held([run(170)], 2, 80 * GB)
    with pytest.raises(UserError, match=r"a run is planned to hold 170.0 GB, and a GPU here has 80.0; give --budget"):
        check_held([run(170)], 1, 80 * GB)
    with pytest.raises(UserError, match="a run: strategy 'mine' holds its base in 8 bit, which FSDP2 cannot share out"):
        check_held([run(10), run(150, bits=8)], 8, 80 * GB)


def test_what_each_gpu_keeps_for_itself_is_divided_by_no_number_of_them(works, monkeypatch):
    """Of 100 GB 60 are each one's own: two GPUs of 80 hold it, and no number of GPUs of 60 does."""
    monkeypatch.setattr(module, "bytes_held", lambda run, devices=1: (60 + 40 / devices) * GB)
    ((slots, _),) = teams([str(number) for number in range(8)], 80 * GB, works(*[100] * 4))
    assert [len(slot.gpus) for slot in slots] == [2] * 4
    assert gpus_needed(None, 8, 80 * GB) == 2 and gpus_needed(None, 512, 60 * GB) is None


@pytest.mark.slow
@pytest.mark.skipif(hardware.cores() < 2, reason="two processes need two cores")
def test_two_processes_do_a_run_as_one_does(planned, own_cache, device, tmp_path, monkeypatch):
    """The GPUs that are found are named so that CUDA hides them: launch/gpus.yaml then starts CPU processes."""
    monkeypatch.setattr("bench.placing.crew.visible_gpus", lambda wanted: ["-1", "-1"])
    monkeypatch.setattr("bench.placing.crew.gpu_bytes", lambda: 80 * GB)
    run = planned("full", settings=["dropout=0"])
    run = replace(run, probes=run.probes[:1])
    records = {}
    for name in ("alone", "together"):
        place = Workplace(tmp_path / name, device, Progress(False, 1))
        setting = WorkerSetting(place.out, "fp32", False, DEFAULT_KEEP)
        with workers_of(Crew("auto" if name == "together" else "1"), [run], setting) as doers:
            (records[name],) = execution.execute([run], place, hands=doers)
    alone, together = records["alone"], records["together"]
    assert (alone.provenance.device["processes"], together.provenance.device["processes"]) == (1, 2)
    assert together.outcome.losses == pytest.approx(alone.outcome.losses, rel=1e-4)
    answers = [store.read_items(tmp_path / name, records[name])["prediction"].tolist() for name in records]
    assert answers[0] == answers[1]

"""Each worker has a part of the machine of its own."""

import pytest

from bench.errors import UserError
from bench.placing import slots as module
from bench.placing.slots import PROCESS, gpu_slots, slots, visible_gpus, workers_asked

GB = 10**9


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many cores, GPUs and so much free memory."""

    def made(cores=8, gpus=0, free=64 * GB, visible=None):
        monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: set(range(cores)))
        monkeypatch.setattr(module, "cores", lambda: cores)
        monkeypatch.setattr(module, "uses_gpu", lambda: gpus > 0)
        monkeypatch.setattr("torch.cuda.device_count", lambda: gpus)
        monkeypatch.setattr(module, "available_memory", lambda: free)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible or "")

    return made


def test_auto_or_a_number():
    assert workers_asked("auto") is None and workers_asked("3") == 3
    for wrong in ("0", "-1", "many", "1.5", ""):
        with pytest.raises(UserError, match="is no number of workers"):
            workers_asked(wrong)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_cores_are_shared_out_whole(machine, count):
    machine()
    found = slots(count, [GB])
    assert sorted(core for slot in found for core in slot.cores) == list(range(8)) and len(found) == count
    assert max(len(slot.cores) for slot in found) - min(len(slot.cores) for slot in found) <= 1
    for slot in found:
        assert list(slot.cores) == list(range(slot.cores[0], slot.cores[-1] + 1)), "neighbours"
        assert slot.variables == {"OMP_NUM_THREADS": str(len(slot.cores))} and slot.gpus == ()


def test_workers_of_a_container_share_the_time_that_it_gets(machine, monkeypatch):
    """It sees 64 cores and gets the time of 8."""
    machine(cores=64, gpus=2)
    monkeypatch.setattr(module, "cores", lambda: 8)
    for found in (slots(None, [GB] * 20), slots(2, [GB]), gpu_slots(visible_gpus(None), 1, "")):
        threads = [int(slot.variables["OMP_NUM_THREADS"]) for slot in found]
        assert sum(threads) == 8 and [slot.variables["TUNEBENCH_CORES"] for slot in found] == list(map(str, threads))
        assert sum(len(slot.cores) for slot in found) == 64


def test_by_itself_as_many_as_there_is_work_and_memory(machine):
    machine()
    assert len(slots(None, [GB] * 20)) == 8
    assert [len(slot.cores) for slot in slots(None, [GB] * 3)] == [3, 3, 2]
    machine(free=3 * (4 * GB + PROCESS))
    assert len(slots(None, [4 * GB] * 20)) == 3
    machine(free=2 * GB)
    assert len(slots(None, [4 * GB] * 20)) == 1, "one is tried all the same"
    machine(free=8 * GB + 2 * PROCESS)
    assert len(slots(None, [GB, 8 * GB, GB])) == 1, "the largest may come together"


def test_a_gpu_each(machine):
    machine(cores=6, gpus=2, free=GB)
    found = gpu_slots(visible_gpus(None), 1, "")
    assert [slot.gpus for slot in found] == [("0",), ("1",)] and [slot.cores for slot in found] == [(0, 1, 2), (3, 4, 5)]
    machine(cores=6, gpus=2, visible="5,GPU-ab")
    assert visible_gpus(2) == ["5", "GPU-ab"] and visible_gpus(1) == ["5"]
    machine()
    assert visible_gpus(None) == visible_gpus(3) == []


def test_several_gpus_each(machine):
    machine(cores=6, gpus=5)
    found = gpu_slots(visible_gpus(None), 2, "gpus")
    assert [(slot.gpus, slot.processes) for slot in found] == [(("0", "1"), 2), (("2", "3"), 2)], "one is left over"
    assert [slot.cores for slot in found] == [(0, 1, 2), (3, 4, 5)]


def test_more_than_there_are_is_refused(machine):
    machine(gpus=2)
    with pytest.raises(UserError, match="this machine has 2 GPUs"):
        visible_gpus(3)
    machine()
    with pytest.raises(UserError, match="--workers 9 .* 8 CPU cores"):
        slots(9, [GB])

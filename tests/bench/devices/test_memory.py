"""The peak counts what one run needs, though several share a process: held to allocations of known size."""

import subprocess
import sys
import time

import pytest
import torch

from bench.devices import memory

MB = 2**20
RUNS = """
import sys
import torch
from bench.devices import memory
memory.keep_freed_pages()

def run(megabytes):
    '''A training in small: weights, gradients and two moments, each of a quarter of the megabytes.'''
    peak = memory.PeakMemory(False)
    weights = [torch.ones(megabytes * 2**18 // 40, requires_grad=True) for _ in range(10)]
    adam = torch.optim.AdamW(weights, foreach=False)
    for _ in range(2):
        sum(weight.sum() for weight in weights).backward()
        adam.step()
    return peak.bytes() / 2**20

run(4)  # the first backward pass starts threads and loads libraries
for megabytes in sys.argv[1:]:
    print(run(int(megabytes)))
"""


def peaks(*megabytes: int) -> list[float]:
    done = subprocess.run([sys.executable, "-c", RUNS, *map(str, megabytes)], capture_output=True, text=True, check=True)
    return list(map(float, done.stdout.split()))


def test_a_run_after_a_big_one_reports_the_same_as_alone():
    (alone,), (big, after, again) = peaks(200), peaks(900, 200, 200)
    assert big > 900
    assert after == pytest.approx(alone, rel=0.05) and again == pytest.approx(alone, rel=0.05)


@pytest.mark.parametrize("kernel", [True, False])
def test_a_planted_tensor_raises_the_peak_by_its_size(kernel, monkeypatch):
    """By the kernel's high-water mark, and where it can't be reset (macOS, some containers) by looking again and again."""
    if not kernel:
        monkeypatch.setattr(memory, "_reset_high_water", lambda now: False)

    def peak(megabytes: int) -> float:
        found = memory.PeakMemory(False)
        planted = torch.ones(megabytes * MB // 4)
        time.sleep(0.1)
        del planted
        time.sleep(0.1)
        return found.bytes() / MB

    assert peak(300) - peak(0) == pytest.approx(300, rel=0.05)


def test_what_is_held_before_does_not_count():
    held = torch.ones(200 * MB // 4)
    found = memory.PeakMemory(False)
    assert found.bytes() < 20 * MB
    assert held.sum() == held.numel()


def test_a_mark_that_is_not_reset_is_not_believed(monkeypatch):
    """Some containers take the order and don't carry it out."""
    now = memory.resident()
    monkeypatch.setattr(memory, "_high_water", lambda: now + 500 * MB)
    assert not memory._reset_high_water(now)
    monkeypatch.setattr(memory, "_high_water", lambda: None)
    assert not memory._reset_high_water(now)


def test_running_out_of_memory_is_known_by_what_each_device_says():
    with pytest.raises(RuntimeError) as refused:
        torch.empty(10**15)
    assert memory.ran_out(refused.value) and memory.ran_out(MemoryError()) and memory.ran_out(torch.OutOfMemoryError("CUDA"))
    for told in ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"):
        assert memory.ran_out(RuntimeError(told))
    assert not memory.ran_out(RuntimeError("shape mismatch")) and not memory.ran_out(ValueError("can't allocate memory"))

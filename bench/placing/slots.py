"""Which devices and cores each worker has: a run each on a device of its own is the best use of many."""

import os
from collections.abc import Sequence
from itertools import pairwise

from bench.devices.container import available_memory
from bench.devices.hardware import cores, uses_gpu
from bench.errors import UserError
from bench.placing.slot import Slot

PROCESS = 10**9
"""Bytes that a worker holds on a CPU beside its run: libraries, data, token ids."""


def workers_asked(text: str) -> int | None:
    """`auto` or a number of workers; None for `auto`.

    Raises:
        UserError: it is neither.
    """
    if text == "auto":
        return None
    if not text.isdigit() or int(text) == 0:
        raise UserError(f"--workers '{text}' is no number of workers; give auto, or a number from 1 on")
    return int(text)


def slots(wanted: int | None, needed: Sequence[int]) -> list[Slot]:
    """The parts of a machine without GPUs for so many workers; by itself (None) as many as it holds and as there is work.

    Args:
        needed: bytes that each piece of work is planned to hold.

    Raises:
        UserError: more are wanted than there are cores.
    """
    _check_enough(wanted, cores(), "CPU cores")
    count = wanted or max(1, min(cores(), len(needed), held_at_once(needed, available_memory())))
    return [Slot(number, part, threads=_threads(count)) for number, part in enumerate(_core_parts(count))]


def gpu_slots(gpus: Sequence[str], each: int, launch: str) -> list[Slot]:
    """The parts of a machine with GPUs, so many of them for each worker.

    Args:
        launch: the file of launch/ by which a worker has a process on each; empty for one process.
    """
    count = len(gpus) // each
    return [
        Slot(number, part, tuple(gpus[number * each : (number + 1) * each]), launch, _threads(count))
        for number, part in enumerate(_core_parts(count))
    ]


def visible_gpus(wanted: int | None) -> list[str]:
    """The GPUs to work on: all that this process sees, or so many of them; empty where there are none.

    Raises:
        UserError: more are wanted than there are.
    """
    import torch

    count = torch.cuda.device_count() if uses_gpu() else 0
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = [each.strip() for each in named.split(",")] if named else [str(number) for number in range(count)]
    if count:
        _check_enough(wanted, count, "GPUs")
    return visible[: count if wanted is None else min(wanted, count)]


def _check_enough(wanted: int | None, most: int, kind: str) -> None:
    if wanted is not None and wanted > most:
        raise UserError(f"--workers {wanted} needs a device for each, and this machine has {most} {kind}; lower it")


def held_at_once(needed: Sequence[int], free: int) -> int:
    """How many pieces of work so many bytes hold, if the largest come together."""
    count = 0
    for each in sorted(needed, reverse=True):
        free -= each + PROCESS
        count += free >= 0
    return count


def gpu_bytes() -> int:
    """Memory of the smallest GPU; 0 where there is none."""
    import torch

    count = torch.cuda.device_count() if uses_gpu() else 0
    return min((torch.cuda.get_device_properties(number).total_memory for number in range(count)), default=0)


def _threads(count: int) -> int:
    """Of each of so many workers, where a container gets the time of fewer cores than it sees; else 0: as many as it has."""
    (visible_cores,) = _core_parts(1)
    return max(1, cores() // count) if cores() < len(visible_cores) else 0


def _core_parts(count: int) -> list[tuple[int, ...]]:
    """This machine's cores in so many parts, neighbours together, since they mostly share a cache."""
    # macOS and Windows have no such call.
    all_cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(cores())
    each, more = divmod(len(all_cores), count)
    ends = [number * each + min(number, more) for number in range(count + 1)]
    return [tuple(all_cores[start:end]) for start, end in pairwise(ends)]

"""Which devices and cores each worker has: a run each on a device of its own is the best use of many."""

import os
from collections.abc import Sequence
from itertools import pairwise

import psutil

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
    """The parts of this machine for so many workers; by itself (None) as many as it has devices for and as there is work.

    Args:
        needed: bytes that each piece of work is planned to hold.

    Raises:
        UserError: more are wanted than there are devices.
    """
    gpus = _gpus() if uses_gpu() else []
    most, kind = (len(gpus), "GPUs") if gpus else (cores(), "CPU cores")
    if wanted is not None and wanted > most:
        raise UserError(f"--workers {wanted} needs a device for each, and this machine has {most} {kind}; lower it")
    count = wanted or min(most, len(needed), most if gpus else held_at_once(needed, psutil.virtual_memory().available))
    parts = _parts(sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(cores()), max(1, count))
    return [Slot(number, part, gpus[number] if gpus else None) for number, part in enumerate(parts)]


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


def _gpus() -> list[str]:
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = [each.strip() for each in named.split(",")] if named else [str(n) for n in range(torch.cuda.device_count())]
    return visible[: torch.cuda.device_count()]


def _parts(all_cores: Sequence[int], count: int) -> list[tuple[int, ...]]:
    """Neighbouring cores together, since they mostly share a cache."""
    each, more = divmod(len(all_cores), count)
    ends = [number * each + min(number, more) for number in range(count + 1)]
    return [tuple(all_cores[start:end]) for start, end in pairwise(ends)]

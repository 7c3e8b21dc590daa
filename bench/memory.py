"""Peak memory of one run, also when several runs share a process."""

import gc
import resource
from contextlib import suppress
from pathlib import Path

import torch


def reset_peak() -> None:
    """Free what the last run left and start counting anew."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        return
    with suppress(OSError):  # where it is not allowed, the process's peak so far counts, which is never too low
        Path("/proc/self/clear_refs").write_text("5")  # Linux: resets VmHWM, the resident set's high-water mark


def peak() -> int:
    """Bytes: allocated on the GPU where there is one, else the process's resident set."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    try:
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

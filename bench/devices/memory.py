"""Peak memory of one run, where several runs share a process."""

import ctypes
import gc
import threading
import weakref
from pathlib import Path

import psutil
import torch

# <malloc.h>
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def keep_freed_pages() -> None:
    """Let glibc keep freed memory for the next tensor instead of giving it back and having it zeroed page by page.

    PyTorch on a CPU allocates and frees every activation; a training step of SmolLM2 on 2 cores takes 2.4 s instead of 2.9.
    """
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, 2**30)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


INTERVAL = 0.005
"""Seconds between two looks at the resident set, where the kernel's own high-water mark can't be had."""
SLACK = 16 * 2**20
"""Bytes within which the kernel's counts agree: each thread's part is added to them only now and then."""


class PeakMemory:
    """The most memory that was held at once since this was made, beyond what was held then.

    What earlier runs of the process left, and the libraries that are loaded, are in both and cancel; freed memory that the
    allocator kept is given back first, so that a run which takes it again is not let off.
    """

    def __init__(self, gpu: bool) -> None:
        gc.collect()
        if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
            libc.malloc_trim(0)  # what keep_freed_pages has kept
        self._gpu = gpu
        self._sampled: list[int] | None = None
        if gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            self._before = torch.cuda.memory_allocated()
            return
        self._before = resident()
        if not _reset_high_water(self._before):
            self._sampled = [self._before]
            self._stop = threading.Event()
            threading.Thread(target=_sample, args=(self._sampled, self._stop), daemon=True).start()
            weakref.finalize(self, self._stop.set)  # a run that fails never asks

    def bytes(self) -> int:
        """Allocated by tensors on a GPU; on a CPU, of the process's resident set."""
        if self._gpu:
            return torch.cuda.max_memory_allocated() - self._before
        most = _high_water() if self._sampled is None else max(*self._sampled, resident())
        return max(0, (most or 0) - self._before)


OUT_OF_MEMORY = ("can't allocate memory", "CUDA error: out of memory", "_STATUS_ALLOC_FAILED")
"""What a CPU, CUDA beside its allocator, and cuBLAS and cuDNN say of it, for which torch has no class."""


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there was no memory left, on a GPU or on a CPU, whose allocator has no class for it."""
    no_memory = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return no_memory or (isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY))


def resident() -> int:
    """Bytes of the process that are in memory now."""
    return int(psutil.Process().memory_info().rss)


def _sample(most: list[int], stop: threading.Event) -> None:
    """Keep the highest resident set in `most`; looks that fall between two steps of the allocator miss nothing that lasts."""
    while not stop.wait(INTERVAL):
        most[0] = max(most[0], resident())


def _reset_high_water(now: int) -> bool:
    """Whether the kernel's mark of the resident set counts from here; only Linux has one that can be reset."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    mark = _high_water()  # some containers take the order and don't carry it out
    return mark is not None and mark <= now + SLACK


def _high_water() -> int | None:
    """The resident set's peak in bytes, or None where the kernel doesn't tell."""
    try:
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return None

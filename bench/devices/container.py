"""What a container may use of its machine: limits that the kernel keeps (cgroups), which no count of cores or memory shows."""

from contextlib import suppress
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
"""Where a container sees its own limits: of version 2 of cgroups, or in folders of version 1."""
UNLIMITED = 2**60
"""Version 1 says no limit by a number that is larger than this."""


def cpu_limit() -> float | None:
    """How many cores' time it gets; None where that is not limited."""
    quota, period = (
        _limit_fields("cpu.max")
        or (*_limit_fields("cpu/cpu.cfs_quota_us"), *_limit_fields("cpu/cpu.cfs_period_us"))
        or ("max", "1")
    )
    # No limit is `max`, or -1 in version 1: neither is made of digits.
    return int(quota) / int(period) if quota.isdigit() and int(period) else None


def memory_limit() -> int | None:
    """Bytes that it may hold; None where that is not limited."""
    (limit,) = _limit_fields("memory.max") or _limit_fields("memory/memory.limit_in_bytes") or ("max",)
    return int(limit) if limit.isdigit() and int(limit) < UNLIMITED else None


def total_memory() -> int:
    """Bytes of the machine, or what the container may hold of them."""
    return min(psutil.virtual_memory().total, memory_limit() or UNLIMITED)


def available_memory() -> int:
    """Bytes that can still be had without swapping."""
    free, limit = psutil.virtual_memory().available, memory_limit()
    if limit is None:
        return int(free)
    (used,) = _limit_fields("memory.current") or _limit_fields("memory/memory.usage_in_bytes") or ("0",)
    stated = _limit_fields("memory.stat") or _limit_fields("memory/memory.stat")
    kept_files = dict(zip(stated[::2], stated[1::2], strict=False)).get("inactive_file", "0")  # the kernel lets go of them
    return max(0, min(int(free), limit - int(used) + int(kept_files)))


def _limit_fields(name: str) -> tuple[str, ...]:
    """What a file of the limits holds; nothing where there is none."""
    with suppress(OSError):
        return tuple((CGROUP / name).read_text(encoding="ascii").split())
    return ()

"""Whose process a number is: which machine the number counts on, and when the process that has it began."""

import os
import uuid
from functools import cache
from pathlib import Path

import psutil


@cache
def machine() -> str:
    """Equal where two process numbers can be compared: one start of one machine, one container.

    Of Linux the id of its start and of its process numbers' name space; elsewhere the network card's address.
    """
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{start} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{uuid.getnode():x}"


def process_start(process: int) -> float:
    """Tells the process of this number from a later one: seconds from the machine's start to its own, in the kernel's ticks.

    psutil's create_time is by the system's clock, which may be set while the process runs; it serves where there is no other.

    Raises:
        psutil.NoSuchProcess: there is none.
    """
    try:
        # The process's own name stands in parentheses, and may hold some (proc_pid_stat(5)); the 22nd field is its start.
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return int(fields[22 - 3]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return psutil.Process(process).create_time()


def has_ended(where: str, process: int, began: float) -> bool | None:
    """Whether the process of this number that started then is no more, or a zombie; None where it is another machine's."""
    if where != machine():
        return None
    try:
        return process_start(process) != began or psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True

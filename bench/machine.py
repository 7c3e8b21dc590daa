"""This machine, as far as its processes' numbers go."""

import uuid
from functools import cache
from pathlib import Path


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

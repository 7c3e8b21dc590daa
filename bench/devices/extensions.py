"""What torch compiles where it is first asked for, such as DeepSpeed's way for CPU processes to talk to each other."""

import os
import tempfile
from pathlib import Path

from bench.errors import UserError

COMPILED_AFTER = 600.0
"""Seconds in which everything is compiled; one of DeepSpeed's parts takes a minute."""


def check_no_abandoned_lock() -> None:
    """A process that was killed while it compiled leaves a lock for whose end torch waits without one (its FileBaton.wait).

    Raises:
        UserError: there is such a lock.
    """
    from torch.utils.cpp_extension import get_default_build_root

    root = Path(os.environ.get("TORCH_EXTENSIONS_DIR") or get_default_build_root())
    for lock in sorted(root.glob("**/lock")):
        if (age := _age(lock)) > COMPILED_AFTER:
            raise UserError(
                f"{lock} is {age / 60:.0f} minutes old: a process that compiled a part of DeepSpeed seems to have been killed, "
                "and all others would wait for it; delete the file, if nothing compiles there"
            )


def _age(path: Path) -> float:
    """In seconds, by the file system's clock and not by this machine's."""
    with tempfile.TemporaryFile(dir=path.parent) as new:
        return os.fstat(new.fileno()).st_mtime - path.stat().st_mtime

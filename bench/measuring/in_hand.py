"""Which of several processes measures what all of them would keep in the cache: one does, and the others wait for it.

A lock of the file system does, where runs have leases (bench/leases): nothing is lost where a disk has no locks, as to measure
twice does no harm.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from bench.devices.device import Device

LOOK_AGAIN = 1.0
"""Seconds between two looks at whether another process has come to its end."""
GIVEN_UP_AFTER = 1800.0
"""Seconds after which it is not waited for any longer, as it may stand still."""


class InHandError(Exception):
    """Another process is measuring it now."""


@contextmanager
def alone(path: Path, device: Device, waiting: Callable[[], object] | None) -> Iterator[None]:
    """For the block this process, with those that are launched with it, is the only one to measure what belongs at `path`.

    What lies there already anybody may read. A process that ends lets go of what it held, however it ends.

    Args:
        waiting: is called again and again while another process is waited for; None where none is to be.

    Raises:
        InHandError: another process measures it, and is not to be waited for.
    """
    lock = FileLock(f"{path}.lock")
    until = time.monotonic() + GIVEN_UP_AFTER
    try:
        # All processes take each look together: a broadcast that came after minutes would break the others off.
        while device.agreed(device.main and _is_in_hand(path, lock, until)):
            if waiting is None:
                raise InHandError
            waiting()
            time.sleep(LOOK_AGAIN)
        yield
    finally:
        _let_go(lock)


def _is_in_hand(path: Path, lock: FileLock, until: float) -> bool:
    """Whether another process holds the lock; else it is this one's from here on, where it is needed and can be had."""
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        return time.monotonic() < until
    except (OSError, NotImplementedError):
        # A disk without locks, a full one, another user's lock: whether the answers can be kept is told when they are.
        pass
    return False


def _let_go(lock: FileLock) -> None:
    if lock.is_locked:
        with suppress(OSError):
            Path(lock.lock_file).unlink()  # before it is let go of: afterwards it may be another's
        lock.release()

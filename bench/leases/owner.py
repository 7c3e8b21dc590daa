"""Who holds leases, and whether it is still there.

No clock is compared with another machine's. An owner counts upwards in a file of its own, and an observer takes it for gone
when it has seen the count stand still for PATIENCE seconds of its own clock. A process of the same machine is gone when it has
ended.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.folders import faults_told
from bench.process_identity import has_ended, machine, process_start

BEAT = 5.0
"""Seconds between two counts of an owner."""
LOOK = 1.0
"""Seconds for which what was last seen of a count is good enough."""
PATIENCE = 60.0
"""Seconds for which a count must stand still: twelve beats, so that a slow disk or a busy machine is not taken for the end."""

Clock = Callable[[], float]
"""Seconds that only ever grow, as `time.monotonic` gives them."""


@dataclass(frozen=True)
class Owner:
    """A process that does runs."""

    id: str
    host: str
    """For a person to read."""
    machine: str
    """Equal where two process numbers can be compared: one start of one machine, one container."""
    pid: int
    started: float
    """Tells the process from a later one of the same number."""

    @classmethod
    def here(cls) -> "Owner":
        """A new owner in this process."""
        return cls(uuid.uuid4().hex[:16], socket.gethostname(), machine(), os.getpid(), process_start(os.getpid()))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def ended(self) -> bool:
        """Whether it was a process of this machine that is no more."""
        return has_ended(self.machine, self.pid, self.started) is True


class Heart:
    """The count of an owner, in a file."""

    def __init__(self, path: Path) -> None:
        self._path, self._count = path, 0

    def beat(self) -> None:
        self._count += 1
        # In place, of one length and never cut off first: on a full disk it still goes, and a reader sees a count.
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644), "wb") as file:
            file.write(f"{self._count:012d}\n".encode())

    @contextmanager
    def beating(self) -> Iterator[None]:
        """It beats by itself while the block lasts."""
        over = threading.Event()

        def beat_on() -> None:
            while not over.wait(BEAT):
                with suppress(OSError):  # a disk that fails for a moment: the next beat may go
                    self.beat()

        with faults_told(self._path):
            self.beat()
        thread = threading.Thread(target=beat_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            with suppress(OSError):
                self._path.unlink()


class Observer:
    """What an observer has seen of others' hearts."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._looks: dict[Path, _Look] = {}

    def still(self, heart: Path) -> bool:
        """Whether the count has stood still for as long as anybody is waited for."""
        # Before the file is read: if this process is frozen in between, it is not the other that was still.
        now, last = self._clock(), self._looks.get(heart)
        if last is None or now - last.looked > LOOK:
            count = _beat_count(heart)
            since = last.since if last and last.count == count else now
            last = self._looks[heart] = _Look(count, since, now)
        return last.looked - last.since > PATIENCE


def _beat_count(heart: Path) -> str:
    """Empty where none can be read: its owner may have ended at this very moment, or a network's disk have forgotten it."""
    try:
        return heart.read_text(encoding="utf-8")
    except OSError:
        return ""


@dataclass(frozen=True)
class _Look:
    """A count, since when it has been the same, and when it was looked at."""

    count: str
    since: float
    looked: float

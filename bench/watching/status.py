"""How far a process is with its runs, as a small file under the folder of results: OUT/status/HOST-PID.json."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from bench import folders
from bench.errors import UserError
from bench.process_identity import has_ended, machine, process_start

LISTED = 500
"""Finished runs that are listed; of more, the last."""
FILE_SECONDS = 1.0
"""Between two states of the file."""
FORGOTTEN = 86_400.0
"""Seconds without a word after which a process of another machine is forgotten, by clocks that may differ."""


class Finished(BaseModel):
    """A run that this process has ended."""

    label: str
    result: str
    """Its score, or why there is none."""
    seconds: float


class RunStatus(BaseModel):
    """Of one process. Times are in seconds; what is None is not known."""

    host: str = Field(default_factory=socket.gethostname)
    """For a person to read."""
    machine: str = Field(default_factory=lambda: machine())
    """Tells processes of this machine from another's, which may have the same name, as two containers may."""
    pid: int = Field(default_factory=os.getpid)
    born: float = Field(default_factory=lambda: process_start(os.getpid()))
    """Tells the process from a later one of the same number."""
    started: float = Field(default_factory=time.time)
    updated: float = Field(default_factory=time.time)
    total: int = 0
    """Runs that are to be done, by this process or its workers; 0 of a worker, who does not know how many it will be given."""
    done: int = 0
    """Of these."""
    device_seconds: float = 0.0
    """Seconds of all devices that did them, together, so far."""
    number: int = 0
    """Of the current one, from 1."""
    label: str = ""
    phase: str = ""
    step: int = 0
    steps: int = 0
    loss: float | None = None
    rate: float | None = None
    """Examples a second, of training."""
    run_left: float | None = None
    """Of the current run's training."""
    suite_left: float | None = None
    finished: list[Finished] = []

    def end(self, run: Finished) -> None:
        """One more is done."""
        self.done += 1
        # Of the earlier ones one less than are listed, as the last place is this run's.
        self.finished = [*self.finished[1 - LISTED :], run]

    @property
    def stage(self) -> str:
        """What the current run is at, for a person to read."""
        return f"{self.phase}, after step {self.step} of {self.steps}" if self.steps else self.phase

    @property
    def alive(self) -> bool | None:
        """Whether the process goes on; None where it is another machine's."""
        ended = has_ended(self.machine, self.pid, self.born)
        return None if ended is None else not ended


def status_folder(out: Path) -> Path:
    return out / "status"


def write_status(out: Path, status: RunStatus) -> None:
    """At once or not at all. A full disk stops no run: records say so when they are written."""
    path = status_folder(out) / f"{status.host}-{status.pid}.json"
    try:
        folders.write_text(path, status.model_dump_json())
    except UserError:
        return


def read_statuses(out: Path) -> Iterator[RunStatus]:
    """Of all processes, the oldest first; what is no status is passed over."""
    statuses = []
    for path in status_folder(out).glob("*.json"):
        try:
            statuses.append(RunStatus.model_validate_json(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):  # pydantic's are of the latter kind, and those of a file that is no UTF-8
            continue  # gone meanwhile, or not ours
    yield from sorted(statuses, key=lambda status: status.started)


def remove_ended(out: Path) -> None:
    """Forget processes of this machine that are no more, and of others those that have said nothing for a day."""
    for status in read_statuses(out):
        silent = time.time() - status.updated
        if status.alive is False or (status.alive is None and silent > FORGOTTEN):
            (status_folder(out) / f"{status.host}-{status.pid}.json").unlink(missing_ok=True)

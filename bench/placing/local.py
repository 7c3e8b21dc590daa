"""Workers as processes of this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bench.placing.messages import Message, Post, WorkerSetting
from bench.placing.slot import Slot
from bench.processes.launchers import LAUNCH, launched, launcher, package_path
from bench.processes.ranks import ENDING_FILE

if TYPE_CHECKING:
    from bench.running.assignments import Assignment

GRACE = 60.0
"""Seconds for a worker that was asked to stop to come to the end of its step and keep it."""
MODULE = "bench.placing.worker"
"""What a worker's process runs."""


class WorkerProcess:
    """A process with its own device and cores, or several under a launcher, with a device each.

    What is said to it and by it is packed: who passes it on loads no library.
    """

    def __init__(self, slot: Slot, setting: bytes, said: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        self._launched, self._said, self._lost = bool(slot.launch), said, lost
        self._folder = tempfile.TemporaryDirectory(prefix="tunebench-")
        self._ending = Path(self._folder.name) / "ending"
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                _command(slot, setting),
                # Whatever lies in the folder from which it is started is no module of ours.
                env=os.environ
                | slot.variables
                | {"PYTHONPATH": package_path(), "PYTHONSAFEPATH": "1", ENDING_FILE: str(self._ending)},
                stdin=theirs.fileno(),  # which a launcher's processes have as well
                stdout=_error_stream(),  # stdout is for results alone
                start_new_session=True,  # Ctrl-C is for who gives the work, and ends the workers by it
            )
        self._connection = Connection(ours.detach())
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, what: bytes) -> None:
        with suppress(OSError):  # it is gone, and that is told by whoever listens
            self._connection.send_bytes(what)

    def ask_to_stop(self) -> None:
        """It may come to the end of its step first."""
        # Not the launcher, which would end them when they are late; it is told where none has begun.
        if ranks := self._ranks():
            for each in ranks:
                with suppress(psutil.NoSuchProcess):
                    each.terminate()
        else:
            self._process.terminate()

    def end(self, at_once: bool = False) -> None:
        """Wait until it has stopped, and end it where it does not."""
        if at_once:
            self._kill()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
        self._listening.join()
        self._connection.close()
        self._folder.cleanup()

    def _kill(self) -> None:
        """The launcher first, which would say that the others were killed."""
        ranks = self._ranks()
        self._process.kill()
        for each in ranks:
            with suppress(psutil.NoSuchProcess):
                each.kill()

    def _ranks(self) -> list[psutil.Process]:
        return launched(self.pid, MODULE) if self._launched else []

    def _listen(self) -> None:
        while True:
            try:
                self._said(self._connection.recv_bytes())
            except (EOFError, OSError):
                break
        status = self._process.wait()
        # Whichever of a launcher's processes could not go on has left word, and had no connection to say so by.
        if self._ending.exists():
            self._said(as_sent(("ending", json.loads(self._ending.read_text(encoding="utf-8")))))
        self._lost(_exit_reason(status))


class LocalWorker:
    """A worker on this machine."""

    def __init__(self, slot: Slot, post: Post, setting: WorkerSetting) -> None:
        self.slot = slot
        self.process = WorkerProcess(
            slot,
            setting_as_sent(setting),
            lambda said: post(Message(slot.number, *as_received(said))),
            lambda reason: post(Message(slot.number, "lost", reason)),
        )

    def give(self, work: "Assignment") -> None:
        self.process.tell(as_sent(work))

    def ask_to_stop(self) -> None:
        self.process.ask_to_stop()

    def end(self, at_once: bool = False) -> None:
        self.process.end(at_once)


def as_sent(what: Any) -> bytes:
    """As a `Connection` sends it."""
    return bytes(ForkingPickler.dumps(what))


def setting_as_sent(setting: WorkerSetting) -> bytes:
    """What has to be known before the rest loads libraries can be read without it: whether these may say all that they do."""
    return as_sent((setting.debug, as_sent(setting)))


def as_received(what: bytes) -> Any:
    return ForkingPickler.loads(what)


def _command(slot: Slot, setting: bytes) -> list[str]:
    # As hex, since no argument of a process can hold a zero byte.
    worker = ["-m", MODULE, ",".join(map(str, slot.cores)), setting.hex()]
    if not slot.launch:
        return [sys.executable, *worker]
    # By port 0 Accelerate looks for a free one: several launchers may stand side by side.
    many = ["--num_processes", str(slot.processes), "--main_process_port", "0"]
    return [*launcher(LAUNCH / f"{slot.launch}.yaml"), *many, *worker]


def _exit_reason(status: int) -> str:
    if status >= 0:
        return f"its process ended with status {status}"
    name = signal.Signals(-status).name
    return f"its process was ended by {name}" + (", as by a machine without memory" if name == "SIGKILL" else "")


def _error_stream() -> int | None:
    """Where errors are written; nowhere else where that is no file, as in a test."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError):
        return None

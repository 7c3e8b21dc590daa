"""Workers as processes of this machine."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.placing.messages import Message, Post, WorkerSetting
from bench.placing.slot import Slot

if TYPE_CHECKING:
    from bench.running.work import Assignment

GRACE = 60.0
"""Seconds for a worker that was asked to stop to come to the end of its step and keep it."""


class WorkerProcess:
    """A process with its own device and cores. What is said to it and by it is packed: who passes it on loads no library."""

    def __init__(self, slot: Slot, setting: bytes, said: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        self._said, self._lost = said, lost
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "bench.placing.worker"]
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), ",".join(map(str, slot.cores))],
                env={**os.environ, **slot.variables, "PYTHONPATH": package_path()},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=_errors(),  # stdout is for results alone
                start_new_session=True,  # Ctrl-C is for who gives the work, and ends the workers by it
            )
        self._connection = Connection(ours.detach())
        self.tell(setting)
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
        self._process.terminate()

    def end(self, at_once: bool = False) -> None:
        """Wait until it has stopped, and end it where it does not."""
        if at_once:
            self._process.kill()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listening.join()
        self._connection.close()

    def _listen(self) -> None:
        while True:
            try:
                self._said(self._connection.recv_bytes())
            except (EOFError, OSError):
                break
        self._lost(_ending(self._process.wait()))


class LocalWorker:
    """A worker on this machine."""

    def __init__(self, slot: Slot, post: Post, setting: WorkerSetting) -> None:
        self.slot = slot
        self.process = WorkerProcess(
            slot,
            as_sent(setting),
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


def as_received(what: bytes) -> Any:
    return ForkingPickler.loads(what)


def package_path() -> str:
    """PYTHONPATH by which a process that is started finds this very package, installed or not."""
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))


def _ending(status: int) -> str:
    if status >= 0:
        return f"its process ended with status {status}"
    name = signal.Signals(-status).name
    return f"its process was ended by {name}" + (", as by a machine without memory" if name == "SIGKILL" else "")


def _errors() -> int | None:
    """Where errors are written; nowhere else where that is no file, as in a test."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError):
        return None

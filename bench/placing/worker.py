"""A worker's process: it loads the libraries once, and does one piece of work after another.

It ends when whoever gives it work is gone, in the middle of a run too: its lease would go to another.
"""

import os
import queue
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import threads
from bench.placing.messages import Kind, WorkerSetting
from bench.progress import Progress

if TYPE_CHECKING:
    from bench.running.work import Assignment, Workplace

OFTEN = 0.5
"""Seconds between two words on where a run stands."""


def serve(descriptor: int, cores: list[int]) -> int:
    """The exit status: 75 where it was asked to stop.

    Args:
        descriptor: of the socket to whoever gives the work.
    """
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)  # before libraries count what they have
    threads.spin_briefly()  # on a cluster nobody has done so before
    line = Wire(Connection(descriptor))
    setting = line.inbox.get()
    if setting.folder.is_dir():
        os.chdir(setting.folder)
    from bench import quiet

    quiet.libraries(setting.debug)
    from bench import stopping

    stopping.listen()
    try:
        place = workplace(setting, Reporting(line.say, setting.out))
        line.say("ready")
        while True:
            line.say(*outcome(line.inbox.get(), place))
    except stopping.Stopped:
        return stopping.STATUS


class Wire:
    """The connection to whoever gives the work."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self.inbox = connection, queue.SimpleQueue[Any]()
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, kind: Kind, content: Any = None) -> None:
        try:
            self._connection.send((kind, content))
        except OSError:
            os._exit(0)

    def _listen(self) -> None:
        while True:
            try:
                self.inbox.put(self._connection.recv())
            except (EOFError, OSError):
                os._exit(0)  # at once: who gave the work is gone, and the main thread may be deep in a step


class Reporting(Progress):
    """A run's progress, told to whoever gives the work."""

    def __init__(self, say: Any, out: Path | None = None) -> None:
        super().__init__(False, 0, out)
        self._say = say

    def done(self, result: str) -> None:
        super().done(result)
        self._say("result", result)

    def say(self, text: str) -> None:
        self._say("said", text)

    def _show(self, what: str, force: bool = False) -> None:
        self._write(now=force)
        now = time.perf_counter()
        if force or now - self._last > OFTEN:
            self._last = now
            self._say("doing", what)


def workplace(setting: WorkerSetting, progress: Progress) -> "Workplace":
    """This process, set up to do work."""
    from bench.devices.device import start
    from bench.running.work import Workplace

    return Workplace(setting.out, start(setting.precision), progress, setting.debug, setting.keeping)


def outcome(work: "Assignment", place: "Workplace") -> tuple[Kind, Any]:
    """What a piece of work has come to, as it is told."""
    from bench.errors import UserError

    place.progress.start(work.label)
    try:
        return "done", work.do(place)
    except UserError as error:
        return "wrong", str(error)


if __name__ == "__main__":
    sys.exit(serve(int(sys.argv[1]), [int(core) for core in sys.argv[2].split(",") if core]))

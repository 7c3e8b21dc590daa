"""A worker's process: it loads the libraries once, and does one piece of work after another.

Under a launcher it is one of several, which do each piece together; the main one has the connection to whoever gives the work.
It ends when that is gone, in the middle of a run too: its lease would go to another.
"""

import os
import queue
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.placing.local import as_received
from bench.placing.messages import Ending, Kind, WorkerSetting
from bench.processes import before_torch, garbage, ranks, stopping
from bench.processes.heartbeat import beating
from bench.progress import Progress

if TYPE_CHECKING:
    from bench.devices.device import Device
    from bench.running.assignments import Assignment, Workplace
    from bench.runs.run import Run

OFTEN = 0.5
"""Seconds between two words on where a run stands."""
WAIT = 1.0
"""Seconds after which those who wait with the main process for work hear from it that there is none yet."""


def serve(cores: list[int], packed: bytes) -> int:
    """The exit status: 75 where it was asked to stop.

    Args:
        packed: the setting by `setting_as_sent`, which is read once the process is set up: it loads libraries.
    """
    ranks.follow_launcher()
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)  # before libraries count what they have
    garbage.look_rarely()
    before_torch.set_variables()  # on a cluster nobody has done so before
    descriptor = _taken_from_stdin()
    line = None if ranks.rank() else Wire(Connection(descriptor))
    debug, rest = as_received(packed)
    from bench import quiet

    quiet.libraries(debug)
    setting: WorkerSetting = as_received(rest)
    if setting.folder.is_dir():
        os.chdir(setting.folder)
    stopping.listen()
    progress = Reporting(line.say, setting.out) if line else Progress(False, 0)
    try:
        place = workplace(setting, progress)
        if line:
            line.say("ready")
        while True:
            done = outcome(next_work(line, place.device), place)
            if line:
                line.say(*done)
    except stopping.Stopped:
        pass
    except Exception as error:
        # Where all were asked to stop, others have done so already, and what is waited for from them does not come.
        if not stopping.stop_signal():
            how, why = _ending_and_reason(error)
            ranks.tell_ending(how, why)
            if setting.debug:
                raise
            ranks.leave(1, f"error: {why}")
    stopping.deafen()
    return stopping.STATUS


def _ending_and_reason(error: Exception) -> tuple[Ending, str]:
    """How this worker ends by an error that it could not keep to itself, since others wait within the same run."""
    from bench.devices import memory
    from bench.errors import BrokenOffError
    from bench.running.execution import failure_reason

    if isinstance(error, BrokenOffError):
        return "broken off", str(error).partition(";")[0]  # no command has to be given again
    return "failed" if memory.ran_out(error) else "error", failure_reason(error)


def _taken_from_stdin() -> int:
    """The socket to whoever gives the work stands there, since a launcher hands on nothing else. Nobody else is to read it."""
    descriptor, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return descriptor


class Wire:
    """The connection to whoever gives the work."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self.inbox = connection, queue.SimpleQueue[Any]()
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, kind: Kind, content: Any = None) -> None:
        try:
            self._connection.send((kind, content))
        except OSError:
            os._exit(0)  # as in `_listen`

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
        self.status.label = ""  # what has come of it is shown by whoever gives the work
        self._enter("")
        self._write(now=True)
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
    from bench.running.assignments import Workplace

    return Workplace(setting.out, start(setting.precision), progress, setting.debug, setting.keep)


def next_work(line: Wire | None, device: "Device") -> "Assignment":
    """What is to be done next, the same on all processes of this worker."""
    work: Assignment | None = None
    while not work:
        if line:
            with suppress(queue.Empty):
                work = line.inbox.get(timeout=WAIT)
        work = device.agreed(work)
    return work


def outcome(work: "Assignment", place: "Workplace") -> tuple[Kind, Any]:
    """What a piece of work has come to, as it is told."""
    from bench.errors import UserError

    if misplaced := _misplaced(work.run):
        return "wrong", misplaced
    place.progress.start(work.label)
    accelerator = place.device.accelerator
    with beating(place.out, accelerator.num_processes, lambda: place.progress.status.stage):
        try:
            result: tuple[Kind, Any] = "done", work.do(place)
        except UserError as error:
            return "wrong", str(error)
        accelerator.wait_for_everyone()
    return result


def _misplaced(run: "Run") -> str | None:
    """Why the seconds of its budget would be others here than its id says, or None."""
    from bench.devices.hardware import placement

    if run.placement in (None, here := placement()):
        return None
    why = f"{run.label}: the seconds of its budget are planned for {run.placement}, and its worker has {here}"
    return f"{why}; give the command on a machine with such devices, or a budget without seconds"


if __name__ == "__main__":
    sys.exit(serve([int(core) for core in sys.argv[1].split(",") if core], bytes.fromhex(sys.argv[2])))

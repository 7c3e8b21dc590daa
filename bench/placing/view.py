"""Which run is where, how far it is, and how long all will take: a table that moves in a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from bench.durations import lasting
from bench.placing.messages import Message
from bench.placing.slot import Slot
from bench.running.assignments import Assignment
from bench.watching.status import FILE_SECONDS, Finished, RunStatus, remove_ended, write_status
from bench.watching.view import current_run

WORKER_HEADERS = {"worker": "worker", "run": "worker_run", "where": "worker_where", "s": "worker_seconds"}
"""Header -> its term in reports/definitions.yaml, for which a test asks."""


class View:
    """Of all workers of this scheduler.

    Args:
        out: folder of results, under which `tunebench watch` looks for what has been done by all of them.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._status = out, RunStatus()
        self._slots: dict[int, Slot] = {}
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._live: Live | None = None
        self._at: dict[int, _At] = {}
        self._costs: dict[str, float] = {}
        self._spent: dict[str, float] = {}
        self._started = self._used = self._written = 0.0
        self._said: set[str] = set()

    def plan(self, costs: Mapping[str, float]) -> None:
        """What is still to be done, and how many seconds of a worker each is expected to take."""
        # With the first plan alone: what ended processes have left would be watched among what is done from here on.
        if not self._status.total:
            remove_ended(self._out)
        self._costs = dict(costs)
        self._spent, self._started = {}, time.perf_counter()
        if costs and self._console.is_terminal:
            self._live = self._live or Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()

    def expect(self, seconds: Mapping[str, float]) -> None:
        """Now that more is known; of what is done as well, against which the rest is held."""
        for known in (self._costs, self._spent):
            known.update((job, seconds[job]) for job in known.keys() & seconds.keys())

    def settle_on(self, slots: Sequence[Slot]) -> None:
        """From now on workers are on these parts of the machine."""
        self._slots = {slot.number: slot for slot in slots}

    def begins(self, number: int, work: Assignment) -> None:
        self._at[number] = _At(work.label, time.perf_counter())
        self._line(number, "begins")

    def hears(self, message: Message) -> None:
        at, text = self._at.get(message.worker), str(message.content)
        if message.kind == "said" or at is None:
            self._line(message.worker, text)
        elif message.kind == "result":
            at.result = text
        else:
            at.where = text
            self._show()

    def ends(self, number: int, job: str) -> None:
        at = self._at.pop(number)
        seconds = time.perf_counter() - at.since
        self._used += seconds * self._slots[number].processes
        self._spent[job] = self._costs.pop(job, 0.0)
        self._status.end(Finished(label=at.label, result=at.result, seconds=seconds))
        left = self._left()
        time_left = "" if left is None else f"; about {lasting(left)} left"
        self._line(number, f"{at.label}: {at.result} ({seconds:.0f} s){time_left}")

    def lost(self, number: int, reason: str) -> None:
        self._line(number, reason)
        if at := self._at.pop(number, None):
            self._used += (time.perf_counter() - at.since) * self._slots[number].processes

    def look(self, elsewhere: Iterable[str]) -> None:
        """Nothing has happened for a while; others have done these."""
        for job in elsewhere:
            self._costs.pop(job, None)
        self._show()

    def say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._print(text)

    def close(self) -> None:
        if self._live:
            self._live.stop()

    def _left(self) -> float | None:
        """Seconds that the rest will take, if it goes on as fast as so far."""
        if not (spent := sum(self._spent.values())) or not self._costs:
            return None
        return sum(self._costs.values()) / spent * (time.perf_counter() - self._started)

    def _line(self, number: int, text: str) -> None:
        at, done = self._at.get(number), self._status.done
        label = f"{at.label}: " if at else ""
        self._print(f"[{done}/{done + len(self._costs)}] {self._slots[number].name}: {label}{text}")

    def _print(self, text: str) -> None:
        self._console.print(escape(text))
        self._show()

    def _show(self) -> None:
        now, status = time.perf_counter(), self._status
        running = sum((now - at.since) * self._slots[number].processes for number, at in self._at.items())
        status.total, status.suite_left = status.done + len(self._costs), self._left()
        status.device_seconds, status.updated = self._used + running, time.time()
        if now - self._written >= FILE_SECONDS or not self._at:
            self._written = now
            write_status(self._out, status)
        if self._live:
            table = Table(*WORKER_HEADERS, box=None, padding=(0, 2, 0, 0))
            for number, at in sorted(self._at.items()):
                table.add_row(self._slots[number].name, escape(at.label), escape(at.where), f"{now - at.since:.0f}")
            self._live.update(Group(table, current_run(status)), refresh=True)


class _At:
    """Where a worker is."""

    def __init__(self, label: str, since: float) -> None:
        self.label, self.since, self.where, self.result = label, since, "", ""

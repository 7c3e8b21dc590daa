"""Which run is where, how far it is, and how long all will take: a table that moves in a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from bench.durations import lasting
from bench.placing.messages import Message
from bench.placing.slot import Slot
from bench.running.work import Assignment


class View:
    """Of all workers of this scheduler."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._names = {slot.number: slot.name for slot in slots}
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._live: Live | None = None
        self._at: dict[int, _At] = {}
        self._costs: dict[str, float] = {}
        self._spent = self._started = 0.0
        self._count = self._ended = 0
        self._said: set[str] = set()

    def plan(self, costs: Mapping[str, float]) -> None:
        """What is still to be done, and its cost in any unit."""
        self._costs, self._count, self._ended = dict(costs), len(costs), 0
        self._spent, self._started = 0.0, time.perf_counter()
        if costs and self._console.is_terminal:
            self._live = self._live or Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()

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
        at = self._at[number]
        self._ended += 1
        self._spent += self._costs.pop(job, 0.0)
        self._line(number, f"{at.result} ({time.perf_counter() - at.since:.0f} s){self._left()}")
        del self._at[number]

    def lost(self, number: int, reason: str) -> None:
        self._line(number, reason)
        self._at.pop(number, None)

    def look(self, waiting: int) -> None:
        """Nothing has happened for a while; others may have done what waited."""
        self._count = min(self._count, self._ended + waiting + len(self._at))
        self._show()

    def say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._print(text)

    def close(self) -> None:
        if self._live:
            self._live.stop()

    def _left(self) -> str:
        """How long the rest will take, if it goes on as fast as so far."""
        if not self._spent or not self._costs:
            return ""
        seconds = sum(self._costs.values()) / self._spent * (time.perf_counter() - self._started)
        return f"; about {lasting(seconds)} left"

    def _line(self, number: int, text: str) -> None:
        at = self._at.get(number)
        label = f"{at.label}: " if at else ""
        self._print(f"[{self._ended}/{self._count}] {self._names[number]}: {label}{text}")

    def _print(self, text: str) -> None:
        self._console.print(escape(text))
        self._show()

    def _show(self) -> None:
        if self._live:
            table = Table("worker", "run", "where", "s", box=None, padding=(0, 2, 0, 0))
            now = time.perf_counter()
            for number, at in sorted(self._at.items()):
                table.add_row(self._names[number], escape(at.label), escape(at.where), f"{now - at.since:.0f}")
            self._live.update(table, refresh=True)


class _At:
    """Where a worker is."""

    def __init__(self, label: str, since: float) -> None:
        self.label, self.since, self.where, self.result = label, since, "", ""

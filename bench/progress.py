"""What a person sees while runs go on: a live view in a terminal, a line for each phase in a log, and a file for `watch`."""

import atexit
import sys
import time
from collections import deque
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from bench.watching.status import FILE_SECONDS, Finished, RunStatus, remove_ended, write_status
from bench.watching.view import current_run

LOG_SECONDS = 60.0
"""Between two lines of one phase in a log: enough to see that a run goes on, few enough to read afterwards."""
RECENT = 32
"""Steps by which the speed of training is told."""


class Progress:
    """Speaks for the main process alone; the others are silent. What it knows is a `RunStatus`.

    Args:
        out: folder of results, under which `tunebench watch` looks for the status; without it none is written.
        devices: on which each run is done.
    """

    def __init__(self, speaks: bool, total: int, out: Path | None = None, devices: int = 1) -> None:
        # stdout is for results alone (`results --json`). Without soft_wrap rich breaks a log's lines at 80 columns.
        self.console = Console(file=sys.stderr, highlight=False, quiet=not speaks, soft_wrap=True)
        self.status, self._out, self._devices = RunStatus(total=total), out, devices
        self._last = self._started = self._written = self._used = 0.0
        self._steps: deque[tuple[float, int]] = deque(maxlen=RECENT)
        self._live: Live | None = None

    @property
    def total(self) -> int:
        """Runs that are to be done."""
        return self.status.total

    @total.setter
    def total(self, total: int) -> None:
        self.status.total = total

    def start(self, label: str) -> None:
        """A run begins."""
        if not self.status.number and self._out:
            remove_ended(self._out)
        self._started = time.perf_counter()
        self.status.number += 1
        self.status.label = label
        self._enter("")
        self._show("", force=True)

    def phase(self, name: str) -> None:
        """A part of the run begins."""
        if name != self.status.phase:
            self._enter(name)
            self._show(name, force=True)

    def step(self, step: int, steps: int, loss: float, examples: int = 0) -> None:
        """A step of training has been done, the `examples` being those of all steps so far."""
        first = self.status.phase != "training"
        if first:
            self._enter("training")
        self._steps.append((time.perf_counter(), examples))
        self.status.step, self.status.steps, self.status.loss = step, steps, loss
        self._estimate()
        self._show(f"training {step}/{steps}, loss {loss:.3f}", force=first or step == steps)

    def done(self, result: str) -> None:
        """The run has ended."""
        self._hide()
        status, seconds = self.status, time.perf_counter() - self._started
        status.end(Finished(label=status.label, result=result, seconds=seconds))
        self._used += seconds * self._devices
        self._line(f"[{status.number}/{status.total}] {status.label}: {result} ({seconds:.0f} s)")
        status.label = ""
        self._enter("")
        self._write(now=True)

    def say(self, text: str) -> None:
        self._line(text)

    def _enter(self, phase: str) -> None:
        self._steps.clear()
        self.status.phase, self.status.step, self.status.steps = phase, 0, 0
        self.status.loss = self.status.rate = self.status.run_left = None
        self._estimate()

    def _estimate(self) -> None:
        """Speed and time left: of training by its last steps, of the runs after this one as those before it took."""
        status = self.status
        gone = time.perf_counter() - self._started if status.label else 0.0
        status.device_seconds = self._used + gone * self._devices
        if len(self._steps) > 1:
            (since, before), (now, after) = self._steps[0], self._steps[-1]
            status.rate = (after - before) / (now - since) if now > since and after > before else None
            status.run_left = (now - since) / (len(self._steps) - 1) * (status.steps - status.step)
        if status.finished and status.total:
            usual = sum(each.seconds for each in status.finished) / len(status.finished)
            this = max(usual - gone, status.run_left or 0.0) if status.label else 0.0
            status.suite_left = this + usual * max(status.total - status.number, 0)

    def _show(self, what: str, force: bool = False) -> None:
        """Where the run is; in a log at most once a minute, unless it is the first or last word on something."""
        now = time.perf_counter()
        self._write(now=force)
        if self.console.is_terminal and not self.console.quiet:
            if self._live is None:
                # What others print on stdout is results, which may go elsewhere.
                self._live = Live(console=self.console, get_renderable=self._render, transient=True, redirect_stdout=False)
                self._live.start()
                atexit.register(self._hide)  # else an error would leave the terminal without its cursor
        elif force or now - self._last > LOG_SECONDS:
            self._last = now
            self._line(f"[{self.status.number}/{self.status.total}] {self.status.label}  {what}".rstrip())

    def _render(self) -> Text:
        return current_run(self.status)

    def _hide(self) -> None:
        if self._live:
            self._live.stop()
            atexit.unregister(self._hide)
            self._live = None

    def _write(self, now: bool) -> None:
        if self._out and (now or time.perf_counter() - self._written >= FILE_SECONDS):
            self._written, self.status.updated = time.perf_counter(), time.time()
            write_status(self._out, self.status)

    def _line(self, text: str) -> None:
        self.console.print(escape(text))  # a label's brackets are no markup of rich's

"""What a person sees while runs go on: one line that moves in a terminal, plain lines in a log."""

import sys
import time

from rich.console import Console
from rich.markup import escape

LOG_SECONDS = 15.0
"""Between two lines of a log: enough to see that a run goes on, few enough to read afterwards."""


class Progress:
    """Speaks for the main process alone; the others are silent."""

    def __init__(self, speaks: bool, total: int) -> None:
        # stdout is for results alone (`results --json`). Without soft_wrap rich breaks a log's lines at 80 columns.
        self.console = Console(file=sys.stderr, highlight=False, quiet=not speaks, soft_wrap=True)
        self.total, self.number, self.label = total, 0, ""
        self._last = self._started = 0.0

    def start(self, label: str) -> None:
        self.number += 1
        self.label = label
        self._started = time.perf_counter()
        self._show("", force=True)

    def phase(self, name: str) -> None:
        self._show(name)

    def step(self, step: int, steps: int, loss: float) -> None:
        self._show(f"training {step}/{steps}, loss {loss:.3f}", force=step == steps)

    def done(self, result: str) -> None:
        self._line(
            f"[{self.number}/{self.total}] {self.label}: {result} ({time.perf_counter() - self._started:.0f} s)", end="\n"
        )

    def say(self, text: str) -> None:
        self._line(text, end="\n")

    def _show(self, what: str, force: bool = False) -> None:
        now = time.perf_counter()
        if self.console.is_terminal:
            self._line(f"[{self.number}/{self.total}] {self.label}  {what}", end="")
        elif force or now - self._last > LOG_SECONDS:
            self._last = now
            self._line(f"[{self.number}/{self.total}] {self.label}  {what}".rstrip(), end="\n")

    def _line(self, text: str, end: str) -> None:
        if self.console.is_terminal:
            # A full line would wrap, and the next "\r" would clear its second half alone.
            width = self.console.width - 1
            text = "\r\033[2K" + (text if end else text[:width])
            if not self.console.quiet:
                self.console.file.write(text + end)
                self.console.file.flush()
        else:
            self.console.print(escape(text), end=end)  # a label's brackets are no markup of rich's

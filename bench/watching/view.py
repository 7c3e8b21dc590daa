"""What is shown of processes that do runs: rows done with their scores, the current run, how far all are, and the time left."""

import time
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.durations import lasting
from bench.watching.status import RunStatus

LAST = 12
"""Finished runs that are shown; a screen has no room for more."""
QUIET = 30.0
"""Seconds without a word after which the silence is told."""


def current_run(status: RunStatus) -> Text:
    """Where a process is, and all that it is to do, in one line."""
    parts = [status.label, status.phase]
    if status.phase == "training" and status.steps:
        loss = f", loss {status.loss:.3f}" if status.loss is not None else ""
        rate = f", {status.rate:.3g} examples/s" if status.rate else ""
        parts[1] = f"training {status.step}/{status.steps}{loss}{rate}"
    if status.run_left is not None:
        parts.append(f"{lasting(status.run_left)} of training left")
    return Text("  ".join(part for part in (*parts, _totals(status)) if part))


def watched(statuses: Sequence[RunStatus]) -> RenderableType:
    """All processes of a folder: what is done, and where each is."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    done = [each for status in statuses for each in status.finished]
    for each in done[-LAST:]:
        table.add_row(Text(each.label), Text(each.result), lasting(each.seconds))
    more = [Text(f"{len(done) - LAST} earlier runs")] if len(done) > LAST else []
    return Group(*more, table, *map(_process_line, statuses))


def _process_line(status: RunStatus) -> Text:
    silent = max(time.time() - status.updated, 0.0)  # by clocks of two machines, or by one that was set back
    if status.alive is False:
        return Text(f"{status.host}, process {status.pid}: ended {lasting(silent)} ago  {_totals(status)}".rstrip())
    line = current_run(status)
    if silent > QUIET:
        line.append(f"  (no word for {lasting(silent)})")
    return Text(f"{status.host}, process {status.pid}: ").append(line)


def _totals(status: RunStatus) -> str:
    """Of all runs of a command; empty of a worker, who does not know of them."""
    if not status.total:
        return ""
    left = "" if status.suite_left is None else f", about {lasting(status.suite_left)} left"
    return f"{status.done} of {status.total} runs done{left}, {status.device_seconds:.0f} device-seconds used"

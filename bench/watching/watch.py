"""`tunebench watch OUT`: the processes that do runs there, from another terminal."""

import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from bench.errors import UserError
from bench.watching.status import RunStatus, read_statuses, status_folder
from bench.watching.view import QUIET, watched

BETWEEN_LOOKS = 1.0
"""Between two looks."""
GIVEN_UP = 1800.0
"""Seconds without a word after which a process of another machine is no longer waited for: to ask a test set may take long."""

Heard = dict[tuple[str, int], tuple[RunStatus, float]]
"""The last new word of a process of another machine, and when it was heard by this process's clock."""


def watch_processes(out: Path) -> None:
    """Show them until all have ended, as far as that can be known; where the output is no terminal, once.

    Raises:
        UserError: none has left word.
    """
    statuses = list(read_statuses(out))
    if not statuses:
        raise UserError(f"no process has left word in {status_folder(out)}; name the folder that `tunebench run --out` writes")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.print(watched(statuses), soft_wrap=True)
        return
    heard: Heard = {}
    with Live(watched(statuses), console=console, auto_refresh=False) as live:
        while True in [_goes_on(status, heard) for status in statuses]:  # each of them is listened to
            time.sleep(BETWEEN_LOOKS)
            statuses = list(read_statuses(out))
            live.update(watched(statuses), refresh=True)


def _goes_on(status: RunStatus, heard: Heard) -> bool:
    """Whether a process may go on. One of another machine can't be asked: it may while it has said something new of late."""
    if status.alive is not None:
        return status.alive
    now, process = time.monotonic(), (status.machine, status.pid)
    if process not in heard or heard[process][0] != status:
        heard[process] = status, now
    silent, done = now - heard[process][1], 0 < status.total <= status.done
    return silent <= (QUIET if done else GIVEN_UP)

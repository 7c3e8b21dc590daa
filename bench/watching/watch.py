"""`tunebench watch OUT`: the processes that do runs there, from another terminal."""

import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from bench.errors import UserError
from bench.watching.status import read_statuses, status_folder
from bench.watching.view import watched

BETWEEN_LOOKS = 1.0
"""Between two looks."""


def watch_processes(out: Path) -> None:
    """Show them until all have ended; where the output is no terminal, once.

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
    with Live(watched(statuses), console=console, auto_refresh=False) as live:
        while any(status.alive is not False for status in statuses):
            time.sleep(BETWEEN_LOOKS)
            statuses = list(read_statuses(out))
            live.update(watched(statuses), refresh=True)

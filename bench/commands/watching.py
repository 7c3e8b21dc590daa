"""How far runs are, from another terminal."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.options import DEFAULT_OUT

WATCHING = typer.Typer()


@WATCHING.command()
def watch(out: Annotated[Path, typer.Argument(help="Folder of results that runs are writing.")] = DEFAULT_OUT) -> int:
    """Show the runs that go on in a folder of results, until all have ended; once where the output is no terminal."""
    from bench.watching.watch import watch_processes

    watch_processes(out)
    return 0

"""The command line: one sentence and an exit status for whatever goes wrong; the commands stand in bench/commands/."""

import os
import sys

import typer

from bench import __version__, stopping
from bench.commands.assets import ASSETS
from bench.commands.exchange import IMPORT
from bench.commands.gate import BASELINE, GATE
from bench.commands.results import RESULTS
from bench.commands.running import RUNNING
from bench.commands.starting import STARTING
from bench.commands.studies import STUDIES
from bench.commands.watching import WATCHING
from bench.errors import RunError, UserError

DESCRIPTION = "Train, score and probe a model in several ways, and show what each gained, forgot and cost."

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=DESCRIPTION)
for commands in (STARTING, RUNNING, RESULTS, STUDIES, GATE, WATCHING):
    app.add_typer(commands)
app.add_typer(ASSETS, name="assets")
app.add_typer(IMPORT, name="import")
app.add_typer(BASELINE, name="baseline")


def main(arguments: list[str] | None = None) -> None:
    """Entry of `tunebench`; exit status 2 for the user's input, 1 for a failed run, 75 where it was stopped."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = app(arguments, prog_name="tunebench", standalone_mode=False)
    except (UserError, RunError) as error:
        if "--debug" in arguments:
            raise
        print(f"error: {error}", file=sys.stderr)
        status = 2 if isinstance(error, UserError) else 1
    except typer.Exit as leaving:
        status = leaving.exit_code
    except stopping.Stopped as stop:
        print(f"{stop}; the same command goes on from there", file=sys.stderr)
        status = stopping.STATUS
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # click's own: a wrong option
            print(f"error: {error.format_message()}", file=sys.stderr)
            status = 2
        elif "--debug" in arguments:
            raise
        else:
            print(f"error: {type(error).__name__}: {error}; run again with --debug for the traceback", file=sys.stderr)
            status = 1
    sys.exit(status or 0)


@app.command()
def version() -> int:
    """tunebench's version."""
    print(__version__, os.path.dirname(__file__))
    return 0

"""The command line: one sentence and an exit status for whatever goes wrong; the commands stand in bench/commands/."""

import errno
import os
import sys
import traceback

import typer

from bench import __version__
from bench.commands.ablating import ABLATING
from bench.commands.assets import ASSETS
from bench.commands.exchange import EXPORT, IMPORT
from bench.commands.gate import BASELINE, GATE
from bench.commands.judging import JUDGING
from bench.commands.results import RESULTS
from bench.commands.running import RUNNING
from bench.commands.starting import STARTING
from bench.commands.studies import STUDIES
from bench.commands.watching import WATCHING
from bench.errors import BrokenOffError, RunError, UserError
from bench.processes import before_torch, garbage, ranks, stopping
from reports.unseen_characters import visible

WITH_DEBUG = {"run", "ablate", "init"}
"""Commands that go on behind an error, and show tracebacks of their own with `--debug`; of all others it is no option."""
DESCRIPTION = "Train, score and probe a model in several ways, and show what each gained, forgot and cost."

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=DESCRIPTION)
for commands in (STARTING, RUNNING, ABLATING, RESULTS, STUDIES, JUDGING, GATE, WATCHING):
    app.add_typer(commands)
app.add_typer(ASSETS, name="assets")
app.add_typer(IMPORT, name="import")
app.add_typer(EXPORT, name="export")
app.add_typer(BASELINE, name="baseline")


def main(arguments: list[str] | None = None) -> None:
    """Entry of `tunebench`; exit status 2 for the user's input, 1 for a failed run, 75 where it was stopped, 71 where
    memory ran out and it goes on when it is given again."""
    garbage.look_rarely()
    before_torch.set_variables()  # no command has imported torch yet
    try:
        status, sentence = _status_and_sentence(sys.argv[1:] if arguments is None else arguments)
        stopping.deafen()
    except stopping.Stopped as stop:  # also one that came while another end was told
        stopping.deafen()
        status, sentence = stopping.STATUS, _stopped_sentence(str(stop))
    ranks.leave(status, visible(sentence))  # it may quote what was given, which must not steer a terminal


def _status_and_sentence(arguments: list[str]) -> tuple[int, str]:
    """How a command ends: its status, and what is wrong."""
    debug = "--debug" in arguments
    if debug and not WITH_DEBUG & set(arguments[:1]):
        arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        _check_filled(arguments)
        return app(arguments, prog_name="tunebench", standalone_mode=False, obj=arguments) or 0, ""
    except typer.Exit as leaving:
        return leaving.exit_code, ""
    except (typer.Abort, KeyboardInterrupt):
        return 130, ""  # 128 and the number of SIGINT, as shells tell of Ctrl-C
    except Exception as error:
        if debug and not hasattr(error, "format_message"):
            traceback.print_exc()
        return _status_and_sentence_of_error(error)


def _check_filled(arguments: list[str]) -> None:
    """An empty argument mostly is a shell's variable that was not set; each option would take it for something else."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
        if not (value if equals or not name else name).strip():
            before = name or "".join(arguments[max(place - 1, 0) : place])
            what = before if before.startswith("-") else f"argument {place + 1}"
            raise UserError(f"{what} is empty; give it a value, or leave it out")


def _status_and_sentence_of_error(error: Exception) -> tuple[int, str]:
    """The exit status and the sentence for an error."""
    if isinstance(error, BrokenOffError):
        return stopping.BROKEN_OFF, f"error: {error}"
    if isinstance(error, UserError | RunError):
        return 2 if isinstance(error, UserError) else 1, f"error: {error}"
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # click's own: a wrong option
        return 2, f"error: {error.format_message()}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:  # of files bench.folders tells
        return 1, "error: what this command prints can't be written: the disk is full; free some of it, or print elsewhere"
    if stopping.stop_signal():  # the others have stopped already, and what was waited for from them does not come
        return stopping.STATUS, _stopped_sentence(f"stopped by {stopping.stop_signal()}")
    return 1, f"error: {type(error).__name__}: {error}; run again with --debug for the traceback"


def _stopped_sentence(how: str) -> str:
    return f"{how}; the same command goes on from there"


@app.command()
def version() -> int:
    """tunebench's version."""
    print(__version__, os.path.dirname(__file__))
    return 0

"""What holds for every command: an empty argument, a full disk, help that loses no word."""

import subprocess
import sys

import pytest
from rich.text import Text
from typer.main import get_command

from bench import cli
from bench.errors import BrokenOffError, RunError, UserError


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["run", "--suite", "sentiment", "--budget", ""], "--budget"),
        (["run", "--suite", "sentiment", "--model", " "], "--model"),
        (["results", "--out="], "--out"),
        (["compare", "", "old"], "argument 2"),
        ([""], "argument 1"),
    ],
)
def test_an_empty_argument_is_told(arguments, what):
    status, sentence = cli._status_and_sentence(arguments)
    assert (status, sentence) == (2, f"error: {what} is empty; give it a value, or leave it out")


def test_a_value_may_hold_nothing_but_an_equals_sign():
    assert "is empty" not in cli._status_and_sentence(["run", "--suite", "nowhere", "--set", "a="])[1]


def test_a_full_disk_under_the_output_is_told(tmp_path):
    command = [sys.executable, "-c", "from bench.cli import main; main()", "assets", "list"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "error: what this command prints can't be written: the disk is full; free some of it, or print elsewhere"
    )


def all_commands(command):
    yield command
    for part in getattr(command, "commands", {}).values():
        yield from all_commands(part)


def test_help_loses_no_word_to_markup():
    """What stands in square brackets is markup to rich, which shows the help."""
    every = list(all_commands(get_command(cli.app)))
    texts = [text for each in every for text in (each.help, *(getattr(option, "help", None) for option in each.params)) if text]
    assert len(texts) > 100 and [text for text in texts if Text.from_markup(text).plain != text] == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["run", "--suite", "nope"], 2), (["results", "--out", "nowhere"], 2)],
)
def test_a_traceback_changes_no_status_and_any_command_shows_one(arguments, status, capsys):
    plain = cli._status_and_sentence(arguments)
    assert plain[0] == status and "Traceback" not in capsys.readouterr().err
    assert cli._status_and_sentence([*arguments, "--debug"]) == plain and "Traceback" in capsys.readouterr().err


def test_the_commands_with_an_option_for_tracebacks_are_known():
    given = {
        name for name, each in get_command(cli.app).commands.items() if "--debug" in {o for p in each.params for o in p.opts}
    }
    assert given == cli.WITH_DEBUG


@pytest.mark.parametrize(
    ("error", "status"), [(BrokenOffError("no memory"), 71), (RunError("failed"), 1), (UserError("wrong"), 2)]
)
def test_how_a_command_ends_is_told_by_its_status(monkeypatch, error, status):
    """71 is what launch/slurm.sh goes on at."""

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(cli, "app", fails)
    assert cli._status_and_sentence(["run", "--suite", "sentiment"]) == (status, f"error: {error}")

"""What is said in a log and in a terminal, and when."""

import io

import pytest
from rich.console import Console

from bench import progress
from bench.progress import LOG_SECONDS, Progress


@pytest.fixture
def clock(monkeypatch):
    """A time that passes when it is told to."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def test_other_processes_are_silent(capsys):
    silent = Progress(False, 2)
    silent.start("a run")
    silent.step(1, 1, 0.5)
    silent.done("ok")
    silent.say("anything")
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_a_line_now_and_then(capsys, clock):
    speaks = Progress(True, 2)
    speaks.start("a run")
    speaks.phase("too soon after the line before")
    clock[0] += LOG_SECONDS + 1
    speaks.step(3, 9, 0.12345)
    speaks.step(4, 9, 0.1)
    speaks.step(9, 9, 0.0)  # the last is always told
    clock[0] += 5
    speaks.done("accuracy .9")
    out, said = capsys.readouterr()
    assert out == ""  # results go to stdout, and nothing else
    assert said.splitlines() == [
        "[1/2] a run",
        "[1/2] a run  training 3/9, loss 0.123",
        "[1/2] a run  training 9/9, loss 0.000",
        f"[1/2] a run: accuracy .9 ({LOG_SECONDS + 6:.0f} s)",
    ]


def test_brackets_are_text_and_long_lines_stay_whole(capsys):
    text = "[bold] is no markup, [/] neither " + "x" * 300
    Progress(True, 1).say(text)
    assert capsys.readouterr().err == text + "\n"


def test_a_terminal_has_one_line_that_moves(clock):
    speaks, screen = Progress(True, 2), io.StringIO()
    speaks.console = Console(file=screen, force_terminal=True, width=30)
    speaks.start("a run")
    speaks.phase("predicting what comes after")
    speaks.done("ok")
    clear = "\r\x1b[2K"
    moving = "[1/2] a run  predicting what comes after"
    # One column is left free: a full line would wrap, and the next "\r" would clear its second half alone.
    assert screen.getvalue() == f"{clear}[1/2] a run  {clear}{moving[:29]}{clear}[1/2] a run: ok (0 s)\n"

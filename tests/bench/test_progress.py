"""A log gets plain lines, few of them; a process that is not the main one says nothing."""

import pytest

from bench import progress as module
from bench.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets; it stands at 100 s, since the first line is due at once."""

    class Clock:
        now = 100.0

        def perf_counter(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def test_a_log_has_a_line_per_run_and_steps_now_and_then(capsys, clock):
    progress = Progress(True, 2)
    progress.start("tiny / sst2 / full / seed 0")
    for step in range(1, 101):
        clock.now += 1
        progress.step(step, 100, 0.5)
    progress.done("accuracy 0.500")
    progress.say("[bold]as it stands[/bold]")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "[1/2] tiny / sst2 / full / seed 0"
    assert lines[1] == "[1/2] tiny / sst2 / full / seed 0  training 16/100, loss 0.500"
    assert lines[-3].endswith("training 100/100, loss 0.500")  # the last step always
    assert lines[-2] == "[1/2] tiny / sst2 / full / seed 0: accuracy 0.500 (100 s)"
    assert lines[-1] == "[bold]as it stands[/bold]"
    assert len(lines) == 10


def test_other_processes_are_silent(capsys):
    progress = Progress(False, 1)
    progress.start("x")
    progress.done("y")
    progress.say("z")
    assert capsys.readouterr() == ("", "")

"""A log gets a line for each phase, a terminal one that moves, a watcher a file; other processes say nothing."""

import io

import pytest
from rich.console import Console

from bench import progress as module
from bench.progress import Progress
from bench.watching.status import read_statuses


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""

    class Clock:
        now = 100.0

        def perf_counter(self):
            return self.now

        def time(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def run(progress, clock, seconds=100):
    progress.start("tiny / sst2 / full / seed 0")
    progress.phase("base model")
    progress.phase("base model")
    for step in range(1, seconds + 1):
        clock.now += 1
        progress.step(step, seconds, 0.5, 16 * step)
    progress.phase("test set")
    progress.done("accuracy 0.500")


def test_a_log_has_a_line_for_each_phase_and_one_a_minute(capsys, clock):
    progress = Progress(True, 2)
    run(progress, clock)
    progress.say("[bold]as it stands[/bold]")
    start = "[1/2] tiny / sst2 / full / seed 0"
    assert capsys.readouterr().err.splitlines() == [
        start,
        f"{start}  base model",
        f"{start}  training 1/100, loss 0.500",
        f"{start}  training 62/100, loss 0.500",
        f"{start}  training 100/100, loss 0.500",
        f"{start}  test set",
        f"{start}: accuracy 0.500 (100 s)",
        "[bold]as it stands[/bold]",
    ]


def test_speed_and_time_left_are_those_of_the_last_steps_and_runs(clock):
    progress = Progress(False, 3, devices=2)
    progress.start("first")
    for step in range(1, 11):
        clock.now += 2
        progress.step(step, 100, 0.5, 16 * step)
    status = progress.status
    assert (status.rate, status.run_left, status.suite_left, status.device_seconds) == (8.0, 180.0, None, 40.0)
    progress.phase("test set")
    assert (status.rate, status.run_left, status.loss) == (None, None, None)
    progress.done("accuracy 0.5")
    assert (status.done, status.label, status.suite_left, status.device_seconds) == (1, "", 40.0, 40.0)
    clock.now += 7  # a pause between runs uses no device
    progress.start("second")  # the first took 20 s, and a third will follow
    clock.now += 5
    progress.phase("base model")
    assert (status.suite_left, status.device_seconds) == (15 + 20, 50.0)
    clock.now += 40
    progress.phase("test set")
    assert status.suite_left == 20


def test_a_watcher_reads_where_the_run_is_at_most_a_second_old(tmp_path, clock, monkeypatch):
    written = []
    write = module.write_status
    monkeypatch.setattr(module, "write_status", lambda out, status: written.append(clock.now) or write(out, status))
    progress = Progress(True, 2, tmp_path)
    progress.start("x")
    progress.phase("training")
    before = len(written)
    for step in range(1, 100):
        clock.now += 0.1
        progress.step(step, 100, 0.5, step)
    assert 9 <= len(written) - before <= 11  # of 99 steps in 9.9 s
    (status,) = read_statuses(tmp_path)
    assert 90 <= status.step <= 99 and status.phase == "training" and status.total == 2
    progress.done("accuracy 0.9")
    assert [each.result for each in next(read_statuses(tmp_path)).finished] == ["accuracy 0.9"]


def test_a_terminal_shows_done_rows_above_one_line_that_moves(clock):
    progress = Progress(True, 2)
    text = io.StringIO()
    progress.console = Console(file=text, force_terminal=True, width=120, soft_wrap=True, highlight=False)
    progress.start("tiny / sst2 / full / seed 0")
    progress.step(3, 100, 0.5, 48)
    progress._live.refresh()
    assert "tiny / sst2 / full / seed 0  training 3/100, loss 0.500" in text.getvalue()
    progress.done("accuracy 0.500")
    assert progress._live is None  # nothing that moves is left on the screen
    assert text.getvalue().splitlines()[-1].endswith("[1/2] tiny / sst2 / full / seed 0: accuracy 0.500 (0 s)")


def test_other_processes_are_silent(capsys, tmp_path):
    progress = Progress(False, 1)
    progress.start("x")
    progress.step(1, 2, 0.5)
    progress.done("y")
    progress.say("z")
    assert capsys.readouterr() == ("", "") and list(tmp_path.iterdir()) == []

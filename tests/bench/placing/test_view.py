"""A log has a line for each change; a terminal a table."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from bench.placing import view as module
from bench.placing.messages import Message
from bench.placing.slot import Slot
from bench.placing.view import View
from bench.watching.status import read_statuses

WORK = {name: SimpleNamespace(id=name, label=f"minilm / sst2 / {name} / seed 0") for name in ("full", "frozen")}


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(module.time, "perf_counter", lambda: now.seconds)
    return now


def through_a_run(view, clock, slots):
    view.plan({"full": 3.0, "frozen": 1.0})
    view.settle_on(slots)
    view.begins(0, WORK["full"])
    view.hears(Message(0, "doing", "training 1/4, loss 0.5"))
    clock.seconds = 300.0
    view.hears(Message(0, "said", "a sentence"))
    view.hears(Message(0, "result", "accuracy 0.5"))
    view.ends(0, "full")


def test_a_log_has_a_line_for_each_change(clock, capsys, tmp_path):
    view = View(tmp_path)
    through_a_run(view, clock, [Slot(0, (0,)), Slot(1, (1, 2))])
    view.begins(1, WORK["frozen"])
    view.lost(1, "its process was ended by SIGKILL; the run is done again")
    view.say_once("waiting for others")
    view.say_once("waiting for others")
    view.close()
    assert capsys.readouterr().err.splitlines() == [
        "[0/2] core 0: minilm / sst2 / full / seed 0: begins",
        "[0/2] core 0: minilm / sst2 / full / seed 0: a sentence",
        "[1/2] core 0: minilm / sst2 / full / seed 0: accuracy 0.5 (300 s); about 2 min left",
        "[1/2] 2 cores: minilm / sst2 / frozen / seed 0: begins",
        "[1/2] 2 cores: minilm / sst2 / frozen / seed 0: its process was ended by SIGKILL; the run is done again",
        "waiting for others",
    ]


def test_a_watcher_reads_how_far_all_are(clock, tmp_path):
    """A pair of GPUs counts twice, a run that was lost as well, and what others did is left out."""
    view = View(tmp_path)
    through_a_run(view, clock, [Slot(0, (), ("0", "1"), "gpus"), Slot(1, (), ("2",))])
    (status,) = read_statuses(tmp_path)
    assert (status.done, status.total, status.suite_left, status.device_seconds) == (1, 2, 100.0, 600.0)
    assert [(each.label, each.result, each.seconds) for each in status.finished] == [
        (WORK["full"].label, "accuracy 0.5", 300.0)
    ]
    view.begins(1, WORK["frozen"])
    clock.seconds = 310.0
    view.look([])
    assert next(read_statuses(tmp_path)).device_seconds == 610.0
    view.lost(1, "gone")
    clock.seconds = 400.0
    view.look(["frozen"])
    (status,) = read_statuses(tmp_path)
    assert (status.done, status.total, status.suite_left, status.device_seconds) == (1, 1, None, 610.0)
    view.plan({"later": 1.0})  # another batch of trials
    view.look([])
    assert [(each.done, each.total) for each in read_statuses(tmp_path)] == [(1, 2)]


def test_a_terminal_shows_which_run_is_where(clock, tmp_path):
    view = View(tmp_path)
    screen = io.StringIO()
    view._console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    through_a_run(view, clock, [Slot(0, (), ("0",)), Slot(1, (), ("1",))])
    view.close()
    text = screen.getvalue()
    assert "1 of 2 runs done, about 2 min left, 300 device-seconds used" in text
    for part in ("GPU 0", "minilm / sst2 / full / seed 0", "training 1/4, loss 0.5", "accuracy 0.5 (300 s); about 2 min left"):
        assert part in text

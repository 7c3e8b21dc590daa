"""A worker's process: what it says, and that it ends when nobody is there any more."""

import queue
import socket
import subprocess
import sys
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from types import SimpleNamespace

import pytest
import torch
from workers import imagined

from bench import quiet
from bench.errors import BrokenOffError, UserError
from bench.placing import worker
from bench.placing.local import setting_as_sent
from bench.placing.messages import WorkerSetting
from bench.placing.worker import Reporting, next_work, outcome
from bench.progress import Progress
from bench.running.assignments import Workplace


def test_progress_is_told_and_not_too_often(monkeypatch):
    now, said = [100.0], []
    monkeypatch.setattr(worker.time, "perf_counter", lambda: now[0])
    progress = Reporting(lambda *words: said.append(words))
    progress.start("a run")
    for step in range(1, 11):
        now[0] += 0.1
        progress.step(step, 10, 0.5)
    progress.say("a sentence")
    progress.done("accuracy 0.5")
    assert said[0] == ("doing", "") and said[-2:] == [("said", "a sentence"), ("result", "accuracy 0.5")]
    steps = [words for words in said if words[1].startswith("training")]
    assert 2 <= len(steps) <= 3 and steps[-1] == ("doing", "training 10/10, loss 0.500")


def test_libraries_are_quieted_before_the_setting_loads_them(tmp_path, monkeypatch):
    class LoadsLibraries:
        def __reduce__(self):
            return pytest.fail, ("they were loaded",)

    def quieted(debug):
        raise RuntimeError(f"debug is {debug}")

    setting = WorkerSetting(tmp_path, None, True, LoadsLibraries())
    monkeypatch.setattr(worker.ranks, "follow_launcher", lambda: None)
    monkeypatch.setattr(worker.ranks, "rank", lambda: 1)
    monkeypatch.setattr(worker.before_torch, "set_variables", lambda: None)
    monkeypatch.setattr(worker, "_taken_from_stdin", lambda: 0)
    monkeypatch.setattr(quiet, "libraries", quieted)
    with pytest.raises(RuntimeError, match="debug is True"):
        worker.serve([], setting_as_sent(setting))


def test_what_a_piece_of_work_has_come_to(planned, tmp_path, device):
    work, place = imagined(planned("zero-shot"), "a", []), Workplace(tmp_path, device, Progress(False, 1))
    kind, recorded = outcome(work, place)
    assert kind == "done" and recorded.record.run_id == "a"

    class Wrong(type(work)):
        def do(self, place):
            raise UserError("no such file")

    assert outcome(Wrong(work.run, "a", []), place) == ("wrong", "no such file")


def test_seconds_are_not_spent_on_another_kind_of_device_than_the_id_says(planned, tmp_path, device):
    """As where a Ray cluster's nodes have GPUs and the machine of the command has none; nothing is done."""
    timed, place = planned("full", budget="1s"), Workplace(tmp_path, device, Progress(False, 1))
    assert outcome(imagined(timed, "a", []), place)[0] == "done"
    done = []
    kind, told = outcome(imagined(replace(timed, placement="cuda x 8"), "a", done), place)
    assert (kind, done) == ("wrong", []) and f"are planned for cuda x 8, and its worker has {timed.placement}; give the" in told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            BrokenOffError("memory ran out in step 7; the same command goes on with 48"),
            ("broken off", "memory ran out in step 7"),
        ),
        (torch.OutOfMemoryError("no room"), ("failed", "out of memory: this machine cannot hold it; a budget with a ceiling")),
        (ValueError("wrong"), ("error", "ValueError: wrong")),
    ],
)
def test_how_it_ends_is_told_by_what_went_wrong(error, told):
    how, why = worker._ending_and_reason(error)
    assert how == told[0] and why.startswith(told[1])


def test_processes_of_a_worker_learn_from_the_main_one_what_is_next(monkeypatch):
    """Which tells them as well that there is nothing yet: who waits for long without a word is taken for gone."""
    monkeypatch.setattr(worker, "WAIT", 0.01)
    said, main = [], SimpleNamespace(inbox=queue.SimpleQueue())

    def agreed(work):
        said.append(work)
        if len(said) == 2:
            main.inbox.put("work")
        return work

    assert next_work(main, SimpleNamespace(agreed=agreed)) == "work" and said == [None, None, "work"]
    assert next_work(None, SimpleNamespace(agreed=lambda _: said.pop(0))) == "work"


@pytest.mark.parametrize("told", [False, True])
def test_it_ends_when_nobody_is_there(told):
    """Before it has been told anything, and in the middle of something."""
    code = (
        "import sys, time; from multiprocessing.connection import Connection; from bench.placing.worker import Wire;"
        "line = Wire(Connection(int(sys.argv[1]))); line.say('ready'); line.inbox.get(); line.say('doing'); time.sleep(60)"
    )
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([sys.executable, "-c", code, str(theirs.fileno())], pass_fds=(theirs.fileno(),))
    theirs.close()
    connection = Connection(ours.detach())
    assert connection.recv() == ("ready", None)
    if told:
        connection.send("work")
        assert connection.recv() == ("doing", None)
    connection.close()
    started = time.monotonic()
    assert process.wait(30) == 0 and time.monotonic() - started < 30

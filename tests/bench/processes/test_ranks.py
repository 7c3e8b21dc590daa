"""Of several processes one speaks, and none stays behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from bench.processes import ranks, stopping

ROOT = Path(__file__).parents[3]


@pytest.fixture
def left(monkeypatch, capsys, tmp_path):
    """How a process with this rank leaves: its status, what it says, and what it writes for the launcher."""
    monkeypatch.setattr(time, "sleep", lambda seconds: waited.append(seconds))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)
    waited = []

    def of(rank, status, sentence="", file=False, asked="", **more):
        path = tmp_path / "status"
        path.unlink(missing_ok=True)
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        monkeypatch.setenv(ranks.STATUS_FILE, str(path) if file else "")
        monkeypatch.setattr(stopping, "stop_signal", lambda: asked)
        with pytest.raises(SystemExit) as caught:
            ranks.leave(status, sentence, **more)
        told = int(path.read_text()) if path.exists() else None
        return caught.value.code, capsys.readouterr().err, told, waited

    return of


def test_the_main_process_speaks_at_once(left):
    assert left(0, 2, "error: wrong") == (2, "error: wrong\n", None, [])
    assert left(0, 0) == (0, "", None, [])


def test_another_one_speaks_where_it_was_not_ended(left):
    assert left(1, 2, "error: wrong") == (2, "rank 1: error: wrong\n", None, [ranks.WAIT_FOR_MAIN])


def test_when_all_stop_the_main_one_alone_says_so(left):
    assert left(1, stopping.STATUS, "stopped")[:2] == (stopping.STATUS, "")
    assert left(1, 1, "error: gone", asked="SIGTERM") == (1, "", None, [])  # what broke because the others had stopped


def test_a_launcher_is_told_the_status_and_no_failure_that_all_agree_on(left):
    assert left(0, 2, "error: wrong", file=True)[::2] == (2, 2)  # the others must be ended
    assert left(0, 75, "stopped", file=True)[::2] == (0, 75)
    assert left(0, 1, file=True)[::2] == (0, 1)  # a failed run, which is in the table
    assert left(1, 0, file=True)[::2] == (0, None)
    assert left(1, 75, "stopped", file=True)[::2] == (0, 75)  # the main one may be where it can't hear


@pytest.mark.parametrize(("known", "status", "said"), [("75", 0, ""), ("71", 0, ""), ("", 1, "error: rank 0 is gone\n")])
def test_a_process_that_waits_for_one_that_was_told_to_stop_is_no_failure(tmp_path, known, status, said):
    """As within a collective call on a GPU, in which it hears no signal."""
    path = tmp_path / "status"
    path.write_text(known)
    code = "from bench.processes.ranks import end_now; end_now('error: rank 0 is gone')"
    environment = os.environ | {"PYTHONPATH": str(ROOT), ranks.STATUS_FILE: str(path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr, path.read_text()) == (status, said, known or "1")


def test_the_first_to_speak_is_the_only_one(left, tmp_path, monkeypatch):
    """Under torch's launcher, which has a folder for each process, and shows what a process leaves there in its own report."""
    files = [tmp_path / "attempt_0" / str(number) / "error.json" for number in range(2)]
    for file in files:
        file.parent.mkdir(parents=True)

    def of(number, *said, **more):
        monkeypatch.setenv(ranks.ERROR_FILE, str(files[number]))
        return left(number, *said, **more)[:2]

    assert of(1, 2, "error: wrong") == (2, "rank 1: error: wrong\n")  # the main one came late
    assert of(0, 2, "error: wrong") == (2, "")
    assert of(0, 75, "stopped by SIGTERM") == (75, "")
    (tmp_path / "attempt_0" / "said").unlink()
    assert of(0, 2, "error: wrong") == (2, "error: wrong\n")
    failure = ProcessFailure(local_rank=0, pid=1, exitcode=2, error_file=str(files[0]))
    shown = ChildFailedError("run.py", {0: failure, 1: ProcessFailure(1, 2, -signal.SIGTERM, "none")}).format_msg()
    assert shown.strip().splitlines()[-2].strip() == f"traceback : {ranks.SAID}" and "error: wrong" not in shown
    monkeypatch.setenv(ranks.ERROR_FILE, str(tmp_path / "nowhere" / "0" / "error.json"))
    assert left(0, 2, "error: wrong")[:2] == (2, "error: wrong\n")


def test_why_a_process_ends_is_told_by_the_first(tmp_path, monkeypatch):
    monkeypatch.delenv(ranks.ENDING_FILE, raising=False)
    ranks.tell_ending("error", "nobody asks")
    monkeypatch.setenv(ranks.ENDING_FILE, str(tmp_path / "ending"))
    ranks.tell_ending("broken off", "memory ran out")
    ranks.tell_ending("error", "the other is gone")
    assert json.loads((tmp_path / "ending").read_text()) == ["broken off", "memory ran out"]


def test_what_is_broken_off_is_said_by_whoever_knows_and_ends_the_others(left):
    assert left(0, 71, "error: no memory", file=True)[:3] == (71, "error: no memory\n", 71)
    assert left(1, 71, "error: no memory", file=True)[:3] == (71, "rank 1: error: no memory\n", 71)


@pytest.mark.parametrize(("known", "kept"), [("2", "2"), ("75", "75"), ("0", "1"), ("", "1")])
def test_the_status_that_was_told_first_stands(tmp_path, monkeypatch, known, kept):
    """A process that the launcher ends because of another leaves as if it had been asked to stop."""
    path = tmp_path / "status"
    path.write_text(known)
    monkeypatch.setenv(ranks.STATUS_FILE, str(path))
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(SystemExit):
        ranks.leave(1, "error: gone")
    assert path.read_text() == kept


def test_one_that_never_listened_is_ended_while_it_waits(tmp_path):
    """A wrong option is found before that, and signals are kept waiting until then."""
    code = (
        "from bench.processes import ranks, stopping; stopping.keep_waiting(); print('ready', flush=True)\n"
        "ranks.leave(2, 'error: wrong')"
    )
    found = os.environ | {"PYTHONPATH": str(ROOT), "RANK": "1"}
    process = subprocess.Popen([sys.executable, "-c", code], env=found, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.terminate()
    _, err = process.communicate(timeout=ranks.WAIT_FOR_MAIN - 1)
    assert (process.returncode, err) == (-signal.SIGTERM, b"")


def test_a_process_whose_launcher_was_gone_before_it_could_ask_ends(monkeypatch):
    sent, parents = [], iter([5, 5, 5, 1])
    monkeypatch.setattr(os, "kill", lambda process, number: sent.append((process, number)))
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(ranks.ctypes, "CDLL", lambda _: SimpleNamespace(prctl=lambda *_: 0))
    monkeypatch.delenv(ranks.LAUNCHER, raising=False)
    ranks.end_with_parent()
    assert sent == []
    ranks.end_with_parent()
    assert sent == [(os.getpid(), signal.SIGTERM)]


@pytest.mark.parametrize("gone", [True, False])
def test_a_launcher_that_has_named_itself_is_missed_however_early_it_went(gone):
    """The process that began to start this one may have been gone before this one's first line."""
    named = "import os; from bench.processes.ranks import *; name_as_launcher(e := {}); print(e[LAUNCHER], flush=True); input()"
    found = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": found, "text": True}
    parent = subprocess.Popen([sys.executable, "-c", named], **pipes)
    name = parent.stdout.readline().strip()
    if gone:
        parent.communicate("")
    code = "from bench.processes.ranks import end_with_parent; end_with_parent()"
    child = subprocess.run([sys.executable, "-c", code], env=found | {ranks.LAUNCHER: name})
    parent.communicate("")
    assert child.returncode == (-signal.SIGTERM if gone else 0)


def test_a_process_ends_with_its_parent(tmp_path):
    child = (
        "import time; from bench.processes.ranks import follow_launcher; follow_launcher()\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    script = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)"
    )

    def grandchild(environment):
        found = os.environ | {"PYTHONPATH": str(ROOT)} | environment
        parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=found)
        process = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        _, alive = psutil.wait_procs([process], timeout=3 if environment else 0.5)
        for each in alive:
            each.kill()
        return not alive

    assert grandchild({"ACCELERATE_MIXED_PRECISION": "no"})
    assert not grandchild({})  # one that no launcher has started: nohup must go on working

"""Of several processes one speaks, and none stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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
    waited = []

    def of(rank, status, sentence="", file=False, asked=""):
        path = tmp_path / "status"
        path.unlink(missing_ok=True)
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        monkeypatch.setenv(ranks.STATUS_FILE, str(path) if file else "")
        monkeypatch.setattr(stopping, "asked", lambda: asked)
        with pytest.raises(SystemExit) as caught:
            ranks.leave(status, sentence)
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


@pytest.mark.parametrize(("known", "status", "said"), [("75", 0, ""), ("", 1, "error: rank 0 is gone\n")])
def test_a_process_that_waits_for_one_that_was_told_to_stop_is_no_failure(tmp_path, known, status, said):
    """As within a collective call on a GPU, in which it hears no signal."""
    path = tmp_path / "status"
    path.write_text(known)
    code = "from bench.processes.ranks import end_now; end_now('error: rank 0 is gone')"
    environment = os.environ | {"PYTHONPATH": str(ROOT), ranks.STATUS_FILE: str(path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr, path.read_text()) == (status, said, known or "1")


def test_torchs_launcher_shows_the_sentence_as_the_cause(left, tmp_path, monkeypatch):
    monkeypatch.setenv(ranks.ERROR_FILE, str(tmp_path / "error.json"))
    left(0, 2, "error: wrong")
    failure = ProcessFailure(local_rank=0, pid=1, exitcode=2, error_file=str(tmp_path / "error.json"))
    shown = ChildFailedError("run.py", {0: failure, 1: ProcessFailure(1, 2, -signal.SIGTERM, "none")}).format_msg()
    assert shown.strip().splitlines()[-2].strip() == "traceback : error: wrong"
    monkeypatch.setenv(ranks.ERROR_FILE, str(tmp_path / "nowhere" / "error.json"))
    assert left(0, 2, "error: wrong")[:2] == (2, "error: wrong\n")


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

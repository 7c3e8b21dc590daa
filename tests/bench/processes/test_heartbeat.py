"""A process that is gone or stuck is named by another one, with its last phase."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import disks
import pytest

from bench.errors import UnwritableError, UserError
from bench.processes import heartbeat, ranks
from bench.processes.heartbeat import Heartbeat, Sign, beating

ROOT = Path(__file__).parents[3]


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is moved."""
    now = [1000.0]
    monkeypatch.setattr(heartbeat.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def hearts(tmp_path, monkeypatch, clock):
    """Three processes' hearts, each asked as its own rank."""
    monkeypatch.setattr(heartbeat, "_whereabouts", lambda frame: ("bench/training/loop.py:99", False))
    made = [Heartbeat(tmp_path, 3, lambda number=number: f"phase {number}") for number in range(3)]

    def ask(rank, what):
        monkeypatch.setenv("RANK", str(rank))
        return getattr(made[rank], what)()

    return ask


def test_nobody_is_missed_while_all_beat(hearts, clock):
    for _ in range(5):
        clock[0] += 50
        for rank in (0, 1, 2):
            hearts(rank, "look")
        assert [hearts(rank, "fault") for rank in (0, 1, 2)] == [""] * 3


def test_one_that_is_silent_is_named(hearts, clock):
    for _ in range(2):
        for rank in (0, 1, 2):
            hearts(rank, "look")
    for _ in range(8):
        clock[0] += 10
        for rank in (0, 2):
            hearts(rank, "look")
    told = "its last phase: phase 1, in bench/training/loop.py:99"
    assert hearts(0, "fault") == f"rank 1 has given no sign of life for 70 s; {told}"  # of its last look it heard 10 s later
    assert hearts(2, "fault") == f"rank 1 has given no sign of life for 80 s; {told}"


@pytest.mark.parametrize("waits", [True, False])
def test_who_was_frozen_himself_blames_nobody(hearts, clock, monkeypatch, waits):
    """All were, by Ctrl-Z or a scheduler, and wake up one after the other; whom one hears no more from then on is named."""
    monkeypatch.setattr(heartbeat, "_whereabouts", lambda frame: ("x.py:1", waits and os.environ["RANK"] != "1"))
    for _ in range(2):
        for rank in (0, 1, 2):
            hearts(rank, "look")
    clock[0] += 3600
    for rank in (0, 2, 1):
        hearts(rank, "look")
        assert hearts(rank, "fault") == ""
    for _ in range(8):
        clock[0] += 10
        hearts(0, "look")
    assert "no sign of life" in hearts(0, "fault")


def test_a_disk_that_was_full_for_a_while_ends_nobody(hearts, clock):
    for rank in (0, 1):
        hearts(rank, "look")
    for _ in range(10):
        clock[0] += 10
        with disks.full(), pytest.raises(UnwritableError):
            hearts(0, "look")
    hearts(0, "look")
    assert hearts(0, "fault") == ""


def test_one_that_has_not_begun_is_waited_for(hearts, clock):
    hearts(0, "look")
    clock[0] += 1000
    assert hearts(0, "fault") == ""


def test_what_a_killed_process_left_is_no_sign_of_the_one_that_begins(tmp_path, monkeypatch, clock):
    """A launch may meet at the same place as an earlier one."""
    (tmp_path / "1.json").write_text(json.dumps(Sign(7, "training", "", False, 0.0)))
    monkeypatch.setenv("RANK", "0")
    heart = Heartbeat(tmp_path, 2, lambda: "start")
    for _ in range(100):
        heart.look()
        clock[0] += heart.silence / 10
    assert heart.fault() == ""


def test_one_that_keeps_the_others_waiting_is_named(hearts, clock, tmp_path, monkeypatch):
    waits = {"0": True, "1": False, "2": True}
    monkeypatch.setattr(heartbeat, "_whereabouts", lambda frame: ("bench/inference/local.py:7", waits[os.environ["RANK"]]))
    for _ in range(28):
        for rank in (0, 1, 2):
            hearts(rank, "look")
        assert hearts(0, "fault") == ""
        clock[0] += 20
    for rank in (0, 1, 2):
        hearts(rank, "look")
    hearts(0, "look")
    assert hearts(0, "fault").startswith("rank 1 keeps the others waiting, for 560 s; its last phase: phase 1, in bench/inf")
    assert hearts(1, "fault") == ""  # who works can't know whether he is late


def test_where_a_process_is():
    place, waits = heartbeat._whereabouts(sys._getframe())
    assert (place, waits) == ("", False)  # a test is no place of tunebench

    class Code:
        co_filename, co_name = "/x/torch/distributed/c10d.py", "all_reduce"

    class Frame:
        f_code, f_back, f_lineno = Code, None, 1

    assert heartbeat._whereabouts(Frame) == ("", True)


def test_one_that_is_alone_has_none(tmp_path):
    with beating(tmp_path, 1, lambda: ""):
        pass
    assert not list(tmp_path.iterdir())


def test_a_launcher_learns_the_last_phase_of_a_dead_process(tmp_path, monkeypatch):
    """By a file that it names to its processes, since where they meet is chosen later."""
    monkeypatch.delenv(heartbeat.SIGNS_FILE, raising=False)
    assert heartbeat.phase_of_dead(0) == ""
    monkeypatch.setenv(heartbeat.SIGNS_FILE, str(tmp_path / "signs"))
    assert heartbeat.phase_of_dead(0) == "its last phase: start"  # none has come to its first sign
    monkeypatch.chdir(tmp_path)
    folders = []
    for phase in ("training, after step 3 of 8", ""):  # the second launch meets at the same place
        with beating(Path("out"), 2, lambda said=phase: said):
            assert heartbeat.phase_of_dead(0) == "its last phase: start"
            folders.append((tmp_path / "signs").read_text())
            deadline = time.monotonic() + 10
            while not list(tmp_path.rglob("0.json")) and time.monotonic() < deadline:
                time.sleep(0.02)
            sign = heartbeat.phase_of_dead(0)
            kept = next(tmp_path.rglob("0.json")).read_text()
        assert sign.startswith(f"its last phase: {phase or 'start'}"), sign
        (Path(folders[0]) / "0.json").write_text(kept)  # as a process that was killed leaves it
    assert Path(folders[0]).is_absolute() and folders[0] == folders[1]


def test_the_silence_can_be_given(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(heartbeat, "Heartbeat", lambda *given: made.append(given[3]) or SimpleNamespace(start=int, stop=int))
    for given in ("", "5.5"):
        monkeypatch.setenv(heartbeat.OWN_SILENCE, given)
        with beating(tmp_path, 2, lambda: ""):
            pass
    assert made == [heartbeat.SILENCE, 5.5]
    for given in ("soon", "0", "-1", "nan", "inf"):
        monkeypatch.setenv(heartbeat.OWN_SILENCE, given)
        with pytest.raises(UserError, match=f"TUNEBENCH_SILENCE={given}: give a number of seconds above 1"):
            beating(tmp_path, 2, lambda: "").__enter__()


def test_a_heart_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("MASTER_PORT", "7")
    with beating(tmp_path, 2, lambda: "training"):
        deadline = time.monotonic() + 10
        while not (found := list(tmp_path.rglob("0.json"))) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert Sign(*json.loads(found[0].read_text())).phase == "training"
    time.sleep(0.05)
    assert not list(tmp_path.rglob("*.json"))


def test_a_frozen_process_ends_the_others(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from bench.processes.heartbeat import Heartbeat\n"
        f"Heartbeat(Path({str(tmp_path)!r}), 2, lambda: 'training', silence=1.5).start()\n"
        "print('ready', flush=True); time.sleep(60)"
    )

    def started(rank):
        found = os.environ | {"PYTHONPATH": str(ROOT), "RANK": str(rank), ranks.STATUS_FILE: str(tmp_path / "status")}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, "-c", script], env=found, **pipes)

    first, second = started(0), started(1)
    first.stdout.readline(), second.stdout.readline()
    while len(list(tmp_path.glob("*.json"))) < 2:
        time.sleep(0.05)
    time.sleep(1)
    second.send_signal(signal.SIGSTOP)
    try:
        _, err = first.communicate(timeout=30)
    finally:
        second.kill()
    assert first.returncode == 1 and (tmp_path / "status").read_text() == "1"
    assert err.startswith("error: rank 1 has given no sign of life for ") and "its last phase: training" in err
    assert err.count("\n") == 1 and err.endswith("the same command goes on from the last checkpoint\n")

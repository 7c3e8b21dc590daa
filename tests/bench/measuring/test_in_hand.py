"""Of several processes that want the same answers of a base, one measures each, and none waits while there is other work."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pandas as pd
import pytest
from filelock import FileLock

from bench.measuring import in_hand
from bench.measuring.in_hand import InHandError, alone
from bench.measuring.kept_base import KeptBase
from bench.measuring.untouched import Untouched

HOLD = """
import sys, time, filelock
lock = filelock.FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def elsewhere():
    """Begins another process that measures what belongs at a path, and gives it."""
    begun = []

    def begin(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        begun.append(subprocess.Popen([sys.executable, "-c", HOLD, f"{path}.lock"], stdout=subprocess.PIPE, text=True))
        assert begun[-1].stdout.readline() == "held\n"
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def ends_when_waited_for(kept, other):
    """The other process is gone as soon as it is waited for."""
    kept.progress = SimpleNamespace(phase=lambda name: other.kill())


def entered(path, device, waiting=None):
    with alone(path, device, waiting):
        return time.monotonic()


def test_one_process_measures_and_nothing_is_left_lying_about(tmp_path, device):
    path = tmp_path / "base" / "a.parquet"
    with alone(path, device, None):
        assert [each.name for each in path.parent.iterdir()] == ["a.parquet.lock"]
        with pytest.raises(InHandError):  # a lock of its own, as another process's would be
            entered(path, device)
    assert list(path.parent.iterdir()) == []
    assert entered(path, device)


def test_what_another_process_has_in_hand_is_left_to_it_even_if_it_ends_badly(tmp_path, device, elsewhere):
    path, told = tmp_path / "a.parquet", []
    other = elsewhere(path)
    with pytest.raises(InHandError):
        entered(path, device)

    def waiting():
        told.append(time.monotonic())
        os.kill(other.pid, signal.SIGKILL)

    assert entered(path, device, waiting) - told[0] < 30
    assert told and not list(tmp_path.iterdir())  # its lock is gone with it


def test_what_was_measured_meanwhile_is_not_waited_for(tmp_path, device, elsewhere):
    path = tmp_path / "a.parquet"
    elsewhere(path)
    assert entered(path, device, path.touch)
    assert path.with_name("a.parquet.lock").exists()  # it is the other's


def test_one_that_stands_still_is_not_waited_for_forever(tmp_path, device, elsewhere, monkeypatch):
    path = tmp_path / "a.parquet"
    elsewhere(path)
    monkeypatch.setattr(in_hand, "GIVEN_UP_AFTER", 0.0)
    assert entered(path, device)
    assert path.with_name("a.parquet.lock").exists()


@pytest.mark.parametrize("fault", [OSError("no locks available"), NotImplementedError("no flock")])
def test_where_nothing_can_be_locked_each_measures(tmp_path, device, monkeypatch, fault):
    def acquire(*_, **__):
        raise fault

    monkeypatch.setattr(FileLock, "acquire", acquire)
    assert entered(tmp_path / "a.parquet", device)


def test_the_lock_is_let_go_where_measuring_fails(tmp_path, device):
    path = tmp_path / "a.parquet"
    with pytest.raises(ZeroDivisionError), alone(path, device, None):
        raise ZeroDivisionError
    assert entered(path, device)


@pytest.fixture
def late(session, cache, elsewhere):
    """Asks a base of which another process has question "a" in hand, and notes what it was asked."""
    kept, order = KeptBase(session.run, session.device, session.progress), []

    def ask(name):
        def measure():
            order.append(name)
            return pd.DataFrame({"item": [name]})

        return lambda: kept._kept({"probe": name}, measure)

    ask("a")()
    (path,) = cache.iterdir()  # where its answers are kept
    path.unlink()
    order.clear()
    ends_when_waited_for(kept, elsewhere(path))
    return kept, ask, order


def test_what_another_measures_comes_last_and_the_answers_keep_their_order(late):
    kept, ask, order = late
    found = kept.in_any_order({name: ask(name) for name in "abc"})
    assert order == ["b", "c", "a"]
    assert {name: frame["item"].tolist() for name, frame in found.items()} == {name: [name] for name in "abc"}
    assert list(found) == ["a", "b", "c"]


def test_parts_of_parts_are_left_for_the_end_too(late):
    kept, ask, order = late
    inner = {name: ask(name) for name in "ab"}
    found = kept.in_any_order({"first": lambda: kept.in_any_order(inner), "second": ask("c")})
    assert order == ["b", "c", "a"]
    assert list(found["first"]) == ["a", "b"]


def test_a_run_that_begins_later_asks_what_nobody_asks_yet(session, cache, elsewhere):
    """All of a session's questions, of which another process has the first in hand: it is asked last."""
    whole = Untouched(session).asked.results()
    test = min(cache.iterdir(), key=lambda path: path.stat().st_mtime_ns)  # the set, which was asked first
    for path in cache.iterdir():
        path.unlink()
    later = Untouched(session)
    ends_when_waited_for(later.asked.kept, elsewhere(test))
    again = later.asked.results()
    made = sorted(cache.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    assert made[-1] == test and len(made) > 3
    pd.testing.assert_frame_equal(again.test.same, whole.test.same)
    pd.testing.assert_frame_equal(again.probes["mrpc"], whole.probes["mrpc"])

"""Who is still there: by a count that moves, on the observer's clock alone, or by a process of this machine."""

import errno
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.leases import owner as module
from bench.leases.owner import BEAT, LOOK, PATIENCE, Heart, Observer, Owner
from bench.watching.status import RunStatus


def test_this_process_is_there_and_one_that_was_killed_is_not():
    here = Owner.here()
    assert not here.ended() and here.id != Owner.here().id
    assert replace(here, started=here.started - 1).ended(), "another process has got its number"
    code = "import json, time; from bench.leases.owner import Owner; print(json.dumps(Owner.here().as_json()), flush=True)"
    process = subprocess.Popen([sys.executable, "-c", f"{code}; time.sleep(60)"], stdout=subprocess.PIPE, text=True)
    child = Owner(**json.loads(process.stdout.readline()))
    assert child.machine == here.machine and not child.ended()
    process.kill()
    deadline = time.monotonic() + 10
    while not child.ended() and time.monotonic() < deadline:  # as a zombie too, before anybody has waited for it
        time.sleep(0.01)
    assert child.ended()
    process.wait()
    assert child.ended()


def test_a_process_number_of_another_machine_says_nothing():
    assert not replace(Owner.here(), machine="elsewhere", pid=2**22 + 1).ended()


def test_an_owner_beats_often_enough_for_those_who_look():
    assert 10 * BEAT <= PATIENCE and LOOK < BEAT


def test_a_count_that_moves_is_there_and_one_that_stands_still_is_not(tmp_path):
    now = 1000.0
    observer, heart = Observer(lambda: now), Heart(tmp_path / "a.heart")
    for _ in range(20):
        heart.beat()
        assert not observer.still(tmp_path / "a.heart")
        now += PATIENCE / 2
    assert not observer.still(tmp_path / "a.heart")
    now += PATIENCE + LOOK
    assert observer.still(tmp_path / "a.heart")
    heart.beat()
    now += 2 * LOOK
    assert not observer.still(tmp_path / "a.heart")


def test_a_reader_never_finds_the_count_cut_off(tmp_path):
    """A disk that is full by then would not take it again, and the owner would count as gone."""
    heart, over, seen = Heart(tmp_path / "a.heart"), threading.Event(), set()
    heart.beat()

    def look():
        while not over.is_set():
            seen.add((tmp_path / "a.heart").stat().st_size)

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(3000):
        heart.beat()
    over.set()
    thread.join()
    assert seen == {13}


class Jumps:
    """The system's clock, set back and forth by hours; psutil reckons when a process began from it."""

    def __init__(self, patch):
        self.by, clock, boot = 0.0, time.time, psutil.boot_time()
        patch.setattr(time, "time", lambda: clock() + self.by)
        if hasattr(psutil, "_pslinux"):
            patch.setattr(psutil._pslinux, "boot_time", lambda: boot + self.by)


@given(st.lists(st.floats(-72 * 3600, 72 * 3600), min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
def test_a_clock_that_jumps_ends_no_owner_and_revives_none(jumps):
    with pytest.MonkeyPatch.context() as patch:
        clock, here, status = Jumps(patch), Owner.here(), RunStatus()
        later = replace(here, started=here.started - 1)
        for clock.by in jumps:
            assert not here.ended() and later.ended() and status.alive
            assert replace(Owner.here(), id=here.id) == here


def test_an_owner_without_a_count_is_waited_for_too(tmp_path):
    now = 0.0
    observer = Observer(lambda: now)
    assert not observer.still(tmp_path / "a.heart")
    now = PATIENCE + LOOK + 1
    assert observer.still(tmp_path / "a.heart")


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESTALE])
def test_a_count_that_is_gone_before_it_is_read_is_none(tmp_path, number):
    """Its owner ended between two looks, or NFS still shows a file that is no more."""

    class Gone(type(tmp_path)):
        def exists(self, **_):
            return True

        def read_text(self, *_, **__):
            raise OSError(number, os.strerror(number))

    now = 0.0
    observer = Observer(lambda: now)
    assert not observer.still(Gone(tmp_path / "a.heart"))
    now = PATIENCE + LOOK + 1
    assert observer.still(Gone(tmp_path / "a.heart"))


def test_an_observer_that_was_frozen_blames_nobody(tmp_path):
    """It looks at its clock, is frozen, and reads a count that has not moved since: the clock was read before."""
    heart = Heart(tmp_path / "a.heart")
    heart.beat()
    clock = [0.0]
    observer = Observer(lambda: clock[0])
    assert not observer.still(tmp_path / "a.heart")

    class Frozen(type(tmp_path)):
        def read_text(self, *_, **__):
            clock[0] += 10 * PATIENCE
            return (tmp_path / "a.heart").read_text()

    clock[0] = 2 * LOOK
    assert not observer.still(Frozen(tmp_path / "a.heart"))


def test_a_heart_beats_by_itself_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.01)
    path = tmp_path / "a.heart"
    with Heart(path).beating():
        first = path.read_text()
        deadline = time.monotonic() + 10
        while path.read_text() in (first, "") and time.monotonic() < deadline:
            time.sleep(0.01)
        assert int(path.read_text() or 0) > int(first)
    assert not path.exists()

"""A signal stops what can be broken off at once, and is only noted where somebody looks at it by himself."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.processes import stopping

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def listening():
    stopping.listen()
    yield
    stopping.listen()  # nothing is asked any more


@pytest.mark.parametrize("number", stopping.SIGNALS)
def test_a_signal_stops_at_once(number):
    assert stopping.stop_signal() == ""
    with pytest.raises(stopping.Stopped, match=f"stopped by {number.name}"):
        os.kill(os.getpid(), number)
    assert stopping.stop_signal() == number.name


@pytest.mark.parametrize("number", stopping.SIGNALS)
@pytest.mark.parametrize("ignored", [True, False])
def test_a_signal_that_comes_before_anybody_listens_is_heard_then(number, ignored):
    """A launcher may have had it ignored, which its processes inherit."""
    code = (
        "import os, signal, sys; from bench.processes import stopping\n"
        f"signal.signal({int(number)}, signal.{'SIG_IGN' if ignored else 'SIG_DFL'})\n"
        f"stopping.keep_waiting(); os.kill(os.getpid(), {int(number)})\n"
        "try: stopping.listen()\n"
        "except stopping.Stopped as stopped: print(stopped)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert told.stdout == f"stopped by {number.name}\n", told.stderr


def test_who_looks_by_himself_is_not_broken_off():
    with pytest.raises(stopping.Stopped, match="stopped by SIGTERM after step 2"), stopping.deferred():
        with stopping.deferred():
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        raise stopping.Stopped(f"stopped by {stopping.stop_signal()} after step 2")  # and what he says of it stands


def test_who_leaves_without_having_looked_is_stopped_then():
    with pytest.raises(stopping.Stopped, match="stopped by SIGTERM"), stopping.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
    stopping.listen()
    error = RuntimeError("the loss is nan")
    with pytest.raises(stopping.Stopped, match="stopped by SIGUSR1") as stopped, stopping.deferred():
        os.kill(os.getpid(), signal.SIGUSR1)
        raise error  # of the step in which it was asked: its run is stopped, and has not failed
    assert stopped.value.__cause__ is error
    stopping.listen()
    with pytest.raises(RuntimeError), stopping.deferred():
        raise error  # where nothing was asked it stays what it is


def test_a_second_signal_does_not_break_off_the_tidying_up():
    with pytest.raises(stopping.Stopped):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGUSR1)
            tidied = True
    assert tidied


def test_one_that_came_while_an_object_was_freed_stops_all_the_same(capsys):
    class Freed:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            sum(range(10))  # here it is raised, and Python drops it

    with pytest.raises(stopping.Stopped):
        Freed()
        time.sleep(5)
    assert capsys.readouterr().err == ""


def test_a_process_that_is_ending_is_not_broken_off():
    stopping.deafen()
    os.kill(os.getpid(), signal.SIGTERM)
    assert stopping.stop_signal() == ""


def test_it_is_no_failure_of_a_run():
    assert not issubclass(stopping.Stopped, Exception)

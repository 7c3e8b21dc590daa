"""A signal stops what can be broken off at once, and is only noted where somebody looks at it by himself."""

import os
import signal
import time

import pytest

from bench.processes import stopping


@pytest.fixture(autouse=True)
def listening():
    stopping.listen()
    yield
    stopping.listen()  # nothing is asked any more


@pytest.mark.parametrize("number", stopping.SIGNALS)
def test_a_signal_stops_at_once(number):
    assert stopping.asked() == ""
    with pytest.raises(stopping.Stopped, match=f"stopped by {number.name}"):
        os.kill(os.getpid(), number)
    assert stopping.asked() == number.name


def test_who_looks_by_himself_is_not_broken_off():
    with stopping.deferred():
        with stopping.deferred():
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.asked() == "SIGTERM"
    assert stopping.asked() == "SIGTERM"  # nothing was raised on the way out either


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
    assert stopping.asked() == ""


def test_it_is_no_failure_of_a_run():
    assert not issubclass(stopping.Stopped, Exception)

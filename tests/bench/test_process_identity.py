"""The machine's name tells process numbers apart that can't be compared."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from bench.process_identity import has_ended, machine, process_start


def test_it_is_the_same_in_each_process_of_this_machine():
    script = "from bench.process_identity import machine; print(machine(), end='')"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told == machine() and machine()


def test_a_process_is_told_from_a_later_one_of_its_number(monkeypatch):
    script = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        assert process_start(child.pid) == process_start(child.pid) >= process_start(os.getpid()) == process_start(os.getpid())
        assert process_start(child.pid) == pytest.approx(psutil.Process(child.pid).create_time() - psutil.boot_time(), abs=1)
        child.stdin.close()
    with pytest.raises(psutil.NoSuchProcess):
        process_start(child.pid)


def test_a_name_with_parentheses_does_not_hide_it():
    script = "import ctypes, sys; ctypes.CDLL(None).prctl(15, b') 7 (', 0, 0, 0); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        before = process_start(child.pid)
        child.stdout.readline()
        assert psutil.Process(child.pid).name() == ") 7 (" and process_start(child.pid) == before
        child.stdin.close()


def test_a_process_has_ended_though_nobody_has_waited_for_it():
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        began = process_start(child.pid)
        assert has_ended(machine(), child.pid, began) is False and has_ended(machine(), child.pid, began - 1) is True
        child.kill()
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert has_ended(machine(), child.pid, began) is True
    assert has_ended(machine(), child.pid, began) is True and has_ended("another", child.pid, began) is None

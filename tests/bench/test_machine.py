"""The machine's name tells process numbers apart that can't be compared."""

import subprocess
import sys

from bench.machine import machine


def test_it_is_the_same_in_each_process_of_this_machine():
    script = "from bench.machine import machine; print(machine(), end='')"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told == machine() and machine()

"""The peak counts what one run needs, though several share a process."""

import subprocess
import sys

MEASURE = """
import torch
from bench.devices import memory
memory.keep_freed_pages()
def run(megabytes):
    memory.reset_peak(False)
    before = memory.peak(False)
    block = torch.ones(megabytes * 2**18)
    del block
    return memory.peak(False) - before
run(1)
print(run(200) / 2**20, run(20) / 2**20)
"""


def test_a_small_run_after_a_large_one_has_a_small_peak():
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    large, small = map(float, done.stdout.split())
    assert 195 < large < 260
    assert 15 < small < 60

"""baselines/placing.py: what it takes to place a run is next to nothing beside the run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_placing_a_run_on_a_warm_worker_takes_less_than_a_second(own_cache):
    """Its lease and its record included; the worker has imported everything before."""
    command = [sys.executable, str(ROOT / "baselines" / "placing.py"), "overhead", "--runs", "5", "--budget", "32"]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    told = re.search(r"median (\d+) ms, most (\d+) ms", done.stdout)
    assert told and 0 < int(told[1]) < 1000, done.stdout

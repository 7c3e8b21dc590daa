"""A suite that is killed at random moments comes to the records of one that is not: tests/killing.py, shortened."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_a_suite_that_is_killed_again_and_again_is_the_same(tmp_path):
    command = [sys.executable, str(ROOT / "tests" / "killing.py"), "--kills", "4", "--seeds", "1", "--folder", str(tmp_path)]
    found = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, env=found, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    differences = [line for line in lines if "largest difference" in line]
    assert "3 records" in done.stdout and sum(line.startswith("kill ") for line in lines) == 4
    assert any(line.startswith("kill ") and not line.endswith("ended before") for line in lines)  # else nothing was disturbed
    assert len(differences) > 10 and all(line.endswith("difference 0") for line in differences), done.stdout

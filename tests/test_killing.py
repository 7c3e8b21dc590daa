"""A suite that is killed at random moments comes to the records of one that is not: tests/killing.py, shortened."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize("who", [["--processes", "1"], ["--workers", "2"]], ids="".join)
def test_a_suite_that_is_killed_again_and_again_is_the_same(who, tmp_path):
    few = ["--kills", "4", "--seeds", "1", "--folder", str(tmp_path)]
    command = [sys.executable, str(ROOT / "tests" / "killing.py"), *who, *few]
    found = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, env=found, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    differences = [line for line in lines if "largest difference" in line]
    kills = [line for line in lines if line.startswith("kill ")]
    assert "3 records" in done.stdout and (len(kills) == 4 or "--workers" in who)  # workers that are quick are done before
    assert any(not line.endswith("ended before") for line in kills)  # else nothing was disturbed
    assert len(differences) > 10 and all(line.endswith("difference 0") for line in differences), done.stdout

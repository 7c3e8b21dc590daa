"""A suite that is killed at random moments comes to the records of one that is not: tests/killing.py, shortened."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SEARCH = ["--tune", "2", "--strategies", "full,lora-8bit"]


def killed(folder, *options):
    """The lines that tests/killing.py prints, with a suite of one seed."""
    few = [*options, "--seeds", "1", "--folder", str(folder)]
    found = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, str(ROOT / "tests" / "killing.py"), *few]
    done = subprocess.run(command, env=found, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("who", [["--processes", "1"], ["--workers", "2"]], ids="".join)
def test_a_suite_that_is_killed_again_and_again_is_the_same(who, tmp_path):
    lines = killed(tmp_path, "--kills", "3", *who)
    differences = [line for line in lines if "largest difference" in line]
    kills = [line for line in lines if line.startswith("kill ")]
    assert any(line.startswith("3 records") for line in lines)
    assert len(kills) == 3 or "--workers" in who  # workers that are quick are done before
    assert any(not line.endswith("ended before") for line in kills)  # else nothing was disturbed
    assert len(differences) > 10 and all(line.endswith("difference 0") for line in differences), lines


@pytest.mark.slow
def test_a_search_that_is_killed_in_its_trials_makes_the_same_choice(tmp_path):
    """Two trials of each strategy, and the run with what was chosen; the first kills come before any of these has ended."""
    lines = killed(tmp_path, "--kills", "3", *SEARCH)
    assert any(line.startswith("4 trials, 2 records") for line in lines), lines
    kills = [line for line in lines if line.startswith("kill ")]
    # Killed before all trials had ended, and not all of that in what comes before the first of them.
    assert any(" 0 records" in line and not line.endswith("ended before") for line in kills), lines
    differences = dict(line.split(": largest difference ") for line in lines if "largest difference" in line)
    assert {"trials", "choices", "scores", "losses"} < differences.keys() and set(differences.values()) == {"0"}, lines


@pytest.mark.slow
def test_workers_that_share_a_searchs_trials_choose_as_one_process_does(tmp_path):
    """Each with one thread, so that sums are rounded alike."""
    lines = killed(tmp_path, "--kills", "0", *SEARCH, "--workers", "2", "--against-one")
    assert any(line.startswith("4 trials, 2 records") for line in lines), lines
    differences = dict(line.split(": largest difference ") for line in lines if "largest difference" in line)
    assert {"trials", "choices", "scores", "losses"} < differences.keys() and set(differences.values()) == {"0"}, lines

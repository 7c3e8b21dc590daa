"""The built wheel works from any folder: suites, templates and launch files are inside."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TINY = ["--model", "tiny-bert", "--budget", "16", "--test-items", "10", "--probe-items", "4", "--strategies", "full"]


@pytest.mark.slow
def test_the_wheel_runs_a_suite_away_from_the_checkout(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("tunebench-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    template = "reports/page/templates/leaderboard.html.j2"
    for part in ("suites/assets.yaml", template, "launch/cpu.yaml", "launch/slurm.sh", "bench/run.py"):
        assert part in names
    assert not any(name.startswith(("tests/", "out/")) for name in names)
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    script = "import bench.cli; assert 'site' in bench.cli.__file__; bench.cli.main()"
    run = [sys.executable, "-c", script, "run", "--suite", "sentiment", *TINY]
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(run, cwd=tmp_path / "elsewhere", env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "elsewhere" / "out" / "leaderboard.html").exists()

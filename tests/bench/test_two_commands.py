"""Two commands on one output folder share its runs: each is done and recorded once."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.records import store

ROOT = Path(__file__).parents[2]
RUNS = ["--suite", "sentiment", "--model", "tiny-bert", "--strategies", "full,frozen", "--seeds", "3"]
RUNS += ["--budget", "320", "--test-items", "20", "--probe-items", "4"]


def started(folder):
    """The command in this folder; what it says is kept beside it."""
    found = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "from bench.cli import main; main()", "run", *RUNS]
    number = len(list(folder.glob("*.log")))
    with (folder / f"{number}.log").open("w") as log:
        return subprocess.Popen(command, cwd=folder, env=found, stdout=subprocess.DEVNULL, stderr=log)


def hearts(folder, process):
    """Waits until one more command than before shares the folder's runs; gives their hearts."""
    before = set(folder.glob("out/leases/*.heart"))
    while not (new := set(folder.glob("out/leases/*.heart")) - before):
        assert process.poll() is None, [log.read_text() for log in folder.glob("*.log")]
        time.sleep(0.01)
    return before | new


@pytest.mark.slow
def test_no_run_is_done_twice(tmp_path):
    both = [started(tmp_path)]
    try:
        hearts(tmp_path, both[0])
        both[0].send_signal(signal.SIGSTOP)  # with its first run in hand, until the other has come
        both.append(started(tmp_path))
        assert len(hearts(tmp_path, both[1])) == 2
        both[0].send_signal(signal.SIGCONT)
        assert [each.wait(300) for each in both] == [0, 0]
    finally:
        for each in both:
            each.kill()
    records = store.read_all(tmp_path / "out")
    assert [record.status for record in records] == ["ok"] * 6 and len({record.run_id for record in records}) == 6
    attempts = sorted(path.name for path in (tmp_path / "out" / "leases").iterdir())
    assert attempts == sorted(f"{record.run_id}.1{end}" for record in records for end in ("", ".end")), "each was tried once"
    done = [set(re.findall(r"(full|frozen) / (seed \d): accuracy", log.read_text())) for log in tmp_path.glob("*.log")]
    assert all(done) and sum(map(len, done)) == len(done[0] | done[1]) == 6

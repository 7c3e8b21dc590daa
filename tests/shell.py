"""A command in a process of its own, as a user's shell starts it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TINY = ["--suite", "sentiment", "--model", "tiny-bert", "--budget", "16", "--test-items", "20", "--probe-items", "4"]
"""Options of the smallest suite that trains."""


def run(*arguments, cwd, **environment):
    """`bench/run.py` with these options."""
    return _started([str(ROOT / "bench" / "run.py"), *map(str, arguments)], cwd, environment)


def tunebench(*arguments, cwd, **environment):
    """`tunebench` with this command and its options."""
    return _started(["-c", "from bench.cli import main; main()", *map(str, arguments)], cwd, environment)


def _started(words, cwd, environment):
    found = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"} | environment
    return subprocess.run([sys.executable, *words], cwd=cwd, env=found, capture_output=True, text=True, timeout=300)


def refused(done, sentence):
    """True for a command that ended with status 2 and this sentence; an AssertionError otherwise."""
    assert done.returncode == 2, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("error: ") and sentence in line
    assert "Traceback" not in done.stderr
    return True

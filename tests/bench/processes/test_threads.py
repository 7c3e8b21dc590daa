"""Threads spin briefly by default, in every start, and as a person says where they say anything."""

import os
import subprocess
import sys

import pytest

from bench.processes import threads
from bench.processes.threads import SPINS, SPINS_ALONE, spin_briefly


@pytest.mark.parametrize("own", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "5"}])
def test_what_a_person_says_stands(own):
    environment = dict(own)
    spin_briefly(environment)
    assert environment == own


@pytest.mark.parametrize(
    ("load", "spins"),
    [
        ("4.00 2.00 1.00 1/86 28821\n", SPINS_ALONE),  # what was installed a minute ago does not count
        ("0.00 0.00 0.00 2/86 28821\n", SPINS),
        ("something else\n", SPINS),
        (None, SPINS),
    ],
)
def test_otherwise_threads_spin_briefly_and_longer_where_nobody_else_computes(load, spins, tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "LOAD", tmp_path / "loadavg")
    if load:
        threads.LOAD.write_text(load)
    environment = {"OMP_WAIT_POLICY": ""}
    spin_briefly(environment)
    assert environment["GOMP_SPINCOUNT"] == spins


CODE = """
import sys
sys.argv = ["tunebench", "version"]
import bench.cli as cli
early = [name for name in ("torch", "sklearn") if name in sys.modules]
assert not early, early
try:
    cli.main()
except SystemExit:
    pass
import os
print(os.environ["GOMP_SPINCOUNT"])
"""


def test_the_command_line_says_so_before_torch_is_there():
    clean = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run([sys.executable, "-c", CODE], env=clean, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] in (SPINS, SPINS_ALONE), done.stderr

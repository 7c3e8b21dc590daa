"""baselines/simulated_cluster.py: the real queue and leases with simulated machines lose no run and record none twice."""

import tempfile
from pathlib import Path

import pytest

from baselines.simulated_cluster import WRONG, Cluster, Events, mixed
from bench.sharing.owner import PATIENCE


@pytest.fixture
def folder():
    """In memory where that goes: these are tens of thousands of small files."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.parametrize(("machines", "devices", "wrong"), [(2, 4, WRONG), (8, 8, WRONG), (64, 8, 0.0)])
def test_a_thousand_runs_keep_the_devices_busy(machines, devices, wrong, folder):
    """Of 512 with exact estimates: each has two runs, and one that is longer than was thought is alone in the end."""
    seconds = mixed(1000)
    told = Cluster(folder, seconds, machines, devices, Events(), wrong).run()
    of_work, of_runs, of_time = told.last_tenths(seconds)
    assert set(told.recorded) == set(seconds) and told.lost > 3
    assert sum(told.began.values()) == 1000 + told.lost and not told.in_vain
    assert min(told.busy(until) for until in (of_work, of_runs, of_time)) > 0.95


def test_machines_vanish_and_freeze(folder):
    """What they had is done by others, and what the frozen one brings late is in vain."""
    seconds = mixed(120)
    events = Events(vanishing=(0,), frozen=(1,), at=700.0, rest=2000.0)
    told = Cluster(folder, seconds, 4, 4, events).run()
    assert set(told.recorded) == set(seconds)
    assert len(told.in_vain) == 4, "what the frozen machine was at, each on one device"
    assert sum(told.began.values()) == 120 + told.lost + 4 + 4
    records = [path.read_text() for path in (folder / "records").iterdir()]
    assert len(records) == 120 and {"1", "2", "3"} <= set(records)


def test_a_machine_that_freezes_for_less_than_others_wait_keeps_what_it_has(folder):
    seconds = mixed(40)
    told = Cluster(folder, seconds, 2, 4, Events(lost=0.0, frozen=(0,), at=100.0, rest=PATIENCE / 2)).run()
    assert set(told.recorded) == set(seconds) and sum(told.began.values()) == 40 and not told.in_vain

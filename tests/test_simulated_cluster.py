"""baselines/simulated_cluster.py: the real queue and leases with simulated machines lose no run and record none twice."""

import tempfile
from math import log
from pathlib import Path
from statistics import stdev

import pytest

from baselines.simulated_cluster import SEEDS, Cluster, Events, mixed
from bench.leases.owner import PATIENCE


@pytest.fixture
def folder():
    """In memory where that goes: these are tens of thousands of small files."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.parametrize(("machines", "devices", "exact"), [(2, 4, False), (8, 8, False), (64, 8, True)])
def test_a_thousand_runs_keep_the_devices_busy(machines, devices, exact, folder):
    """512 where it is known what each takes: they have two runs each, and one that is longer than its FLOPs tell is alone in
    the end."""
    runs = mixed(1000, seeds_differ=0.0) if exact else mixed(1000)
    told = Cluster(folder, runs, machines, devices, Events(), piloted=exact).run()
    of_work, of_runs, of_time = told.last_tenths()
    assert set(told.recorded) == set(runs.seconds) and told.lost > 3
    assert sum(told.began.values()) == 1000 + told.lost and not told.in_vain
    assert min(told.busy(until) for until in (of_work, of_runs, of_time)) > 0.95


def test_machines_vanish_and_freeze(folder):
    """What they had is done by others, and what the frozen one brings late is in vain."""
    runs = mixed(120)
    events = Events(vanishing=(0,), frozen=(1,), at=700.0, rest=2000.0)
    told = Cluster(folder, runs, 4, 4, events).run()
    assert set(told.recorded) == set(runs.seconds)
    assert len(told.in_vain) == 4, "what the frozen machine was at, each on one device"
    assert sum(told.began.values()) == 120 + told.lost + 4 + 4
    records = [path.read_text() for path in (folder / "records").iterdir()]
    assert len(records) == 120 and {"1", "2", "3"} <= set(records)


def test_a_machine_that_freezes_for_less_than_others_wait_keeps_what_it_has(folder):
    runs = mixed(40)
    told = Cluster(folder, runs, 2, 4, Events(lost=0.0, frozen=(0,), at=100.0, rest=PATIENCE / 2)).run()
    assert set(told.recorded) == set(runs.seconds) and sum(told.began.values()) == 40 and not told.in_vain


def test_the_runs_of_a_kind_are_alike_and_kinds_are_not():
    """What a pilot tells is worth more than FLOPs, and is not the whole truth."""
    runs = mixed(1000)
    assert len(runs.pilot) == 1000 // SEEDS and len({*runs.predictors.values()}) == len(runs.pilot)
    off = [runs.pilot[runs.predictors[name]] / seconds for name, seconds in runs.seconds.items()]
    by_flops = [runs.predictors[name].flops / seconds for name, seconds in runs.seconds.items()]
    assert 0.01 < stdev(map(log, off)) < 0.5 * stdev(map(log, by_flops))

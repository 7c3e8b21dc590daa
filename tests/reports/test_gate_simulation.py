"""baselines/gate.py in small: draws of seeds are disjoint, alarms are counted, and the page says what was found."""

from dataclasses import replace

import numpy as np
import pytest

from baselines import gate
from bench.statistics.bars import StatisticalBar
from reports.gate import differences


@pytest.fixture
def records(make, out):
    """Ten seeds of two strategies whose scores scatter as chance has it."""
    drawn = np.random.default_rng(3).normal(0, 0.02, (2, 10))
    found = [
        make.record(name, seed, 0.8 + drawn[row, seed], {}) for row, name in enumerate(("full", "frozen")) for seed in range(10)
    ]
    return make.kept(out, [*found, make.record("zero-shot", 0, trainable=0, probes={})])


def test_sides_are_disjoint_draws_of_the_same_seeds_in_all_rows(records):
    for new, old in gate.splits(records, 3, 20):
        seeds = [
            {name: {r.setup.seed for r in side if r.setup.strategy == name} for name in ("full", "frozen")}
            for side in (new, old)
        ]
        assert all(side["full"] == side["frozen"] and len(side["full"]) == 3 for side in seeds)
        assert not seeds[0]["full"] & seeds[1]["full"]
        assert all(any(r.setup.strategy == "zero-shot" for r in side) for side in (new, old))


@pytest.mark.slow
def test_nothing_changed_and_few_alarms(records, out):
    found = gate.compare_splits(records, out, 3, 40)
    assert gate.alarm_share(found) <= 0.1 and all(len(each.changes) == 3 + 8 for each in found)
    assert "| 3 | " in gate.real_table({3: found})


@pytest.mark.slow
def test_noise_of_seeds_that_is_forgotten_raises_alarms(records, out, monkeypatch):
    real = differences.margin_between
    monkeypatch.setattr(differences, "margin_between", lambda one, other: replace(real(one, other), seeds=0.0))
    assert gate.alarm_share(gate.compare_splits(records, out, 3, 20)) > 0.15


def test_the_page_says_whether_bars_hold():
    bar = StatisticalBar("compare: no change, an alarm", 0.021, 0.0, 0.05)
    table = gate.drawn_table({3: [bar]})
    assert table.splitlines()[-1] == "| 3 | no change, an alarm | .021 | at most .050 |"
    text = gate.page("On one table.", "REAL", table, held=False)
    assert "**A bar is missed.**" in text and "REAL" in text and table in text
    assert gate.HOW in text and gate.HOW in gate.PAGE.read_text(encoding="utf-8")

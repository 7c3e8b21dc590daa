"""The clock on which a run is as long as it would be alone."""

import time

from bench.modeling import spared_work
from bench.modeling.spared_work import Spared, clock


def test_the_seconds_of_others_go_by_when_they_are_read(monkeypatch):
    monkeypatch.setattr(spared_work, "SPARED", Spared())
    wall, started = time.perf_counter(), clock()
    spared_work.SPARED.seconds += 100.0
    ended, gone = clock(), time.perf_counter() - wall
    assert 100.0 <= ended - started <= 100.0 + gone

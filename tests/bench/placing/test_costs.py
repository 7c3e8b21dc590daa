"""What takes longer comes first, and one estimate stands for all that cost the same."""

from dataclasses import replace

import pytest

from bench.placing import costs
from bench.placing.costs import bytes_held, flops


def test_more_work_costs_more(planned):
    full, frozen = planned("full", "sentiment"), planned("frozen", "sentiment")
    longer = planned("full", "sentiment", budget="64")
    assert flops(longer) > flops(full) > flops(frozen) > 0
    assert bytes_held(full) > bytes_held(frozen) > 4 * 4_000_000
    assert flops(planned("zero-shot", "sentiment")) < flops(frozen)


def test_seeds_are_estimated_once(planned, monkeypatch):
    full = planned("full", "sentiment", budget="48")
    first = flops(full)
    monkeypatch.setattr(costs, "estimate_cost", lambda *_: pytest.fail("estimated before"))
    assert flops(replace(full, seed=5)) == first and bytes_held(full) > 0

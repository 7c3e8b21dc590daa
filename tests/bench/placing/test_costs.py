"""What takes longer comes first, and one estimate stands for all that cost the same."""

from dataclasses import fields, replace
from types import SimpleNamespace

import pytest

from bench.placing import costs
from bench.placing.costs import bytes_held, predictors_of, seconds_taken
from bench.running.execution import RunWork
from bench.running.memory_ceiling import HEADROOM
from bench.running.sizes import Memory
from bench.strategies import with_values


def flops(run):
    return predictors_of(RunWork(run)).flops


def test_more_work_costs_more(planned):
    full, frozen = planned("full", "sentiment"), planned("frozen", "sentiment")
    longer = planned("full", "sentiment", budget="64")
    assert flops(longer) > flops(full) > flops(frozen) > 0
    assert bytes_held(full) > bytes_held(frozen) > 4 * 4_000_000
    assert 0 < flops(planned("zero-shot", "sentiment")) < flops(frozen), "it only asks its tests"


def test_what_takes_as_long_is_of_one_kind(planned):
    full = RunWork(planned("full", "sentiment"))
    seed, longer = RunWork(replace(full.run, seed=5)), RunWork(planned("full", "sentiment", budget="64"))
    frozen = RunWork(planned("frozen", "sentiment"))
    assert predictors_of(full).kind == predictors_of(seed).kind and seed.id != full.id
    assert predictors_of(longer).kind != predictors_of(full).kind != predictors_of(frozen).kind
    other = RunWork(planned("full", "sentiment", model="minilm"))
    assert predictors_of(frozen).model == predictors_of(full).model != predictors_of(other).model
    trial = SimpleNamespace(run=full.run)
    assert predictors_of(trial).kind != predictors_of(full).kind and predictors_of(trial).model != predictors_of(full).model


def test_seconds_are_those_of_what_the_run_did_itself():
    def record(status="ok", **cost):
        return SimpleNamespace(status=status, cost=SimpleNamespace(**{"others_seconds": None, "eval_seconds": 3.0, **cost}))

    assert seconds_taken(record(train_seconds=10.0)) == 13.0
    assert seconds_taken(record(train_seconds=10.0, others_seconds=4.0)) == 9.0
    assert seconds_taken(record(train_seconds=None)) is None
    assert (
        seconds_taken(record("failed", train_seconds=10.0)) is None
        and seconds_taken(record("pruned", train_seconds=1.0)) is None
    )
    assert seconds_taken(SimpleNamespace(status="ok", cost=None)) is None


def test_a_base_is_held_in_its_reference_precision(planned, monkeypatch):
    """Before training, in which a model in 8 bit may take less than its base in fp32 did."""
    run = planned("lora-8bit", "sentiment", model="smollm2", budget="24")
    small = Memory(*[0] * len(fields(Memory)))
    monkeypatch.setattr(
        costs, "_cached_estimate", lambda by_cost: SimpleNamespace(memory=replace(small, parameters=1_000_000_000))
    )
    halved = replace(run, model=replace(run.model, reference_precision="bf16"))
    assert bytes_held(run) == pytest.approx(HEADROOM * 4e9) and bytes_held(halved) == pytest.approx(HEADROOM * 2e9)


def test_what_several_devices_share_out_is_no_less_in_bf16(planned, monkeypatch):
    """Masters, gradients and moments stay fp32, and each device keeps copies, gathered blocks and activations for itself."""
    run = planned("full", "sentiment", budget="40")
    memory = Memory(100, 100, weights=400, gradients=400, optimizer=800, activations=50, gathered=70, copies=200)
    monkeypatch.setattr(costs, "_cached_estimate", lambda by_cost: SimpleNamespace(memory=memory))
    expected = {("fp32", 1): 1650, ("bf16", 1): 1650, ("fp32", 4): 520, ("bf16", 4): 720, ("bf16", 1600): 321}
    found = {(word, count): bytes_held(replace(run, precision=word), count) for word, count in expected}
    assert found == {case: round(HEADROOM * held) for case, held in expected.items()}


def test_seeds_are_estimated_once(planned, monkeypatch):
    full = planned("full", "sentiment", budget="48")
    first = flops(full)
    monkeypatch.setattr(costs, "estimate_cost", lambda *_: pytest.fail("estimated before"))
    assert flops(replace(full, seed=5)) == first and bytes_held(full) > 0


def test_trials_of_a_learning_rate_are_estimated_once(planned, monkeypatch):
    frozen = planned("frozen", "sentiment", budget="48")
    first = bytes_held(frozen)
    monkeypatch.setattr(costs, "estimate_cost", lambda *_: pytest.fail("estimated before"))
    assert bytes_held(replace(frozen, strategy=with_values(frozen.strategy, {"learning_rate": 2e-3, "warmup": 0.3}))) == first


def test_each_point_of_an_axis_is_estimated_by_itself(planned):
    """A worker must not be given the room of another point, whose layers are frozen or whose texts are shorter."""
    small = planned("frozen", "sentiment", budget="3steps")
    trains_more = replace(small, strategy=with_values(small.strategy, {"frozen": 0}))
    assert bytes_held(small) < bytes_held(trains_more)
    long = planned("frozen", "sentiment", model="smollm2", budget="3steps")
    assert bytes_held(replace(long, max_length=4096)) > bytes_held(long)
    # No text is longer than the model's positions.
    assert bytes_held(replace(small, max_length=4096)) == bytes_held(replace(small, max_length=512))
    assert flops(replace(small, batch=2 * small.batch)) > flops(small)

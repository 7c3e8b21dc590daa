"""What a plan says before anything is trained, held to what the run's own parts say."""

import re
from dataclasses import replace

import pytest
from accelerate import Accelerator
from transformers import AutoModelForSequenceClassification

from bench.modeling import flops
from bench.planning import estimate
from bench.planning.plan import PlanOptions, plan
from bench.planning.tuning import as_far_as_tuned
from bench.records import store
from bench.records.record import Provenance, Record, Setup
from bench.running import curriculum
from bench.tasks.encoding import Encoding
from bench.training import loop

RATE = 1e12
"""FLOP/s, where nothing is planned in seconds."""


@pytest.fixture(scope="module")
def runs():
    options = PlanOptions("sentiment", "tiny-bert", strategies=["zero-shot", "full", "frozen"], budget="16", test_items=20)
    return plan(options, "auto")


def test_tokens_are_those_of_the_curriculum_and_the_formula_makes_operations_of_them(runs):
    zero, full, frozen = (estimate.estimate_cost(run, RATE) for run in runs)
    assert (zero.tokens, zero.operations, zero.memory.trainable) == (0, 0, 0)
    steps = curriculum.build_curriculum(runs[1], Encoding(runs[1].model, runs[1].max_length)).steps
    examples = [encoded for step in steps for encoded in step]
    assert full.tokens == frozen.tokens == sum(encoded.fed for encoded in examples) > 16 * 5
    model = runs[1].model.load(AutoModelForSequenceClassification, num_labels=2)
    ended = loop.train(model, steps, runs[1].strategy.hyperparameters, Accelerator(cpu=True), loop.Padding(0))
    assert full.operations == flops.count_flops(model).computed(ended.computed) > flops.count_flops(model).useful(ended.useful)
    assert frozen.operations < full.operations and frozen.memory.total < full.memory.total


def test_the_plan_is_a_table_that_knows_what_is_done(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(estimate, "speed", lambda: 1e6)
    setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=0, budget="1examples")
    skipped = Record(run_id=runs[1].id, status="skipped", setup=setup, provenance=Provenance(versions={}, device={}))
    store.write_record(tmp_path, skipped)
    estimate.print_plan(runs, tmp_path, [run for run in runs if run is not runs[1]])
    printed = capsys.readouterr().out
    lines = {run.strategy.name: next(line for line in printed.splitlines() if run.id in line) for run in runs}
    assert "skipped" in lines["full"] and "to do" in lines["zero-shot"] and "to do" in lines["frozen"]
    frozen = estimate.estimate_cost(runs[2], RATE)
    assert str(frozen.tokens) in lines["frozen"]
    assert f"training still to do: about {frozen.operations / 1e6:.0f} s" in " ".join(printed.split())  # full is done


def test_trials_are_counted_by_strategy_and_each_costs_what_its_run_would(tmp_path, capsys, monkeypatch):
    options = PlanOptions("sentiment", "tiny-bert", strategies=["full", "frozen"], budget="16", tune={"trials": 6, "seeds": 2})
    runs, missing = as_far_as_tuned(plan(options, "auto"), tmp_path)
    monkeypatch.setattr(estimate, "speed", lambda: 1e6)
    estimate.print_plan(runs, tmp_path, runs, missing)
    printed = " ".join(capsys.readouterr().out.split())
    seconds = sum(12 * estimate.estimate_cost(replace(run, seed=1000), RATE).operations / 1e6 for run in runs)
    told = f"tuning before that: 24 trials to do (full 12, frozen 12), about {seconds:.0f} s of training, besides validation"
    assert told in printed


def test_trials_of_a_budget_in_seconds_take_these_seconds(tmp_path, capsys, monkeypatch):
    options = PlanOptions("sentiment", "tiny-bert", strategies=["full"], budget="10s", tune={"trials": 3})
    runs, missing = as_far_as_tuned(plan(options, "auto"), tmp_path)
    monkeypatch.setattr(estimate, "speed", lambda: 1e9)
    estimate.print_plan(runs, tmp_path, runs, missing)
    told = re.search(r"3 trials to do \(full 3\), about (\d+) s of training", " ".join(capsys.readouterr().out.split()))
    # What is computed is planned a little above the useful operations that the time holds.
    assert 30 <= int(told[1]) <= 36


def test_speed_is_measured():
    assert 1e8 < estimate.speed(0.05) < 1e17


def planned(budget, strategy="full", model="tiny-bert"):
    return plan(PlanOptions("sentiment", model, strategies=[strategy], budget=budget), "fp32")[0]


@pytest.mark.parametrize("strategy", ["full", "frozen", "multitask"])
def test_each_unit_is_planned_as_it_is_trained(strategy):
    tokens = estimate.estimate_cost(planned("1ktokens", strategy), RATE)
    assert 900 < tokens.tokens <= 1000
    assert tokens.tokens == estimate.estimate_cost(planned(str(tokens.examples), strategy), RATE).tokens
    steps = estimate.estimate_cost(planned("2steps", strategy), RATE)
    assert (steps.examples, steps.tokens) == (32, estimate.estimate_cost(planned("32", strategy), RATE).tokens)
    flops_ = estimate.estimate_cost(planned("0.5GFLOP", strategy), RATE)
    assert flops_.examples > 5 and flops_.operations < 1.5 * 5e8  # useful ones, without the padding


def test_seconds_are_planned_by_the_machines_speed():
    slow, fast = (estimate.estimate_cost(planned("10s"), rate) for rate in (1e8, 4e8))
    assert slow.examples < fast.examples and slow.tokens < fast.tokens
    assert slow == estimate.estimate_cost(planned("1GFLOP"), RATE)
    assert estimate.estimate_cost(planned("16examples,10s"), 4e8).examples == 16


def test_a_plan_says_what_a_ceiling_makes_of_a_run_and_what_does_not_fit(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(estimate, "speed", lambda: 1e9)
    plain, kept, none, small = [
        planned(budget, model="minilm") for budget in ("32", "32examples,0.6GB", "32examples,0.1GB", "3tokens")
    ]
    costs = [estimate.estimate_cost(run, RATE) for run in (plain, kept, none, small)]
    assert costs[0].told is None and costs[1].told.startswith("keeps 0.6 GB by micro-batches of ")
    assert costs[1].memory.total < costs[0].memory.total and costs[1].examples == 32
    assert costs[2].told.startswith("its training does not fit into 0.1 GB") and costs[2].examples == 0
    assert costs[3].told.startswith("the budget of 3tokens is less than its first example takes")
    estimate.print_plan([none], tmp_path, [none])
    assert f"full / sst2: {costs[2].told}" in " ".join(capsys.readouterr().out.split())

"""What a plan says before anything is trained, held to what the run's own parts say."""

import shutil
from dataclasses import replace

import pytest
from accelerate import Accelerator
from transformers import AutoModelForSequenceClassification

from bench.modeling import flops
from bench.planning import asking_cost, estimate
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.running import curriculum
from bench.tasks.encoding import Encoding
from bench.tokens.micro_batches import micro_batches
from bench.tokens.token_counts import TokenCounts
from bench.training import loop

RATE = 1e12
"""FLOP/s, where nothing is planned in seconds."""


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


@pytest.mark.parametrize(("settings", "begins_once"), [([], True), (["dropout=0.1"], False), (["compile=true"], False)])
def test_what_texts_begin_with_is_planned_as_it_is_read(decoder_folder, tmp_path, settings, begins_once):
    folder = shutil.copytree(decoder_folder, tmp_path / "of-system-words")
    template = folder / "chat_template.jinja"
    template.write_text("You are an assistant who answers what is asked, in few words.\n" + template.read_text())
    options = PlanOptions("sentiment", str(folder), strategies=["instruction"], budget="32", settings=settings)
    (run,) = plan(options, "fp32")
    steps = curriculum.build_curriculum(run, Encoding(run.model, run.max_length)).steps
    cut = [micro_batches(step, loop.MICRO_BATCH_TOKENS, 0, 1, begins_once) for step in steps]
    assert any(batch.shared for batches in cut for batch in batches) == begins_once
    work = sum((batch.work for batches in cut for batch in batches), TokenCounts())
    assert estimate.estimate_cost(run, RATE).operations == flops.count_flops(run.model.load()).computed(work)


def test_each_stage_is_planned_and_what_is_asked_after_each():
    (staged,) = plan(PlanOptions("stages", "tiny-bert", strategies=["full"], budget="32", test_items=8), "fp32")
    encoding = Encoding(staged.model, staged.max_length)
    curricula = [curriculum.build_curriculum(staged, encoding, stage) for stage in staged.stages]
    cost = estimate.estimate_cost(staged, RATE)
    assert cost.examples == 3 * 32 and cost.tokens == sum(e.fed for each in curricula for step in each.steps for e in step)
    last = estimate.estimate_cost(replace(staged, earlier=()), RATE)
    assert cost.operations > last.operations and cost.answering > 2 * last.answering
    once = asking_cost.eval_sets(staged, encoding)
    assert asking_cost.tests(staged).items == sum(
        len(each.examples) for each in (once.test, *once.elsewhere.values(), *3 * once.stages)
    )


def test_what_is_asked_on_the_way_is_planned_too():
    """After 2, 4 and 5 of five steps, besides at the end."""
    plain, watched = (
        plan(PlanOptions("sentiment", "tiny-bert", strategies=["full"], budget="80", probe_every=every), "fp32")[0]
        for every in (None, "2")
    )
    before, cost = (estimate.estimate_cost(run, RATE) for run in (plain, watched))
    assert cost.probing == pytest.approx(4 * before.probing) and cost.operations == before.operations
    validation = asking_cost.validation(watched)
    assert validation.items == 128
    more = 3 * 2 * cost.memory.parameters * validation.tokens
    assert cost.answering == pytest.approx(before.answering + more) and more > 0


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


def test_a_plan_says_what_a_ceiling_makes_of_a_run_and_what_does_not_fit():
    plain, kept, none, small = [
        planned(budget, model="minilm") for budget in ("32", "32examples,0.6GB", "32examples,0.1GB", "3tokens")
    ]
    costs = [estimate.estimate_cost(run, RATE) for run in (plain, kept, none, small)]
    assert costs[0].remark is None and costs[1].remark.startswith("keeps 0.6 GB by micro-batches of ")
    assert costs[1].memory.total < costs[0].memory.total and costs[1].examples == 32
    assert costs[2].remark.startswith("its training does not fit into 0.1 GB") and costs[2].examples == 0
    assert costs[3].remark.startswith("the budget of 3tokens is less than its first example takes")


def test_of_seconds_and_flops_the_tighter_is_planned():
    def planned(budget):
        (run,) = plan(PlanOptions("sentiment", "tiny-bert", strategies=["full"], budget=budget), "fp32")
        return estimate.estimate_cost(run, RATE).operations

    few, many = planned("300MFLOP"), planned("3GFLOP")
    assert 0 < few < many
    assert planned("300MFLOP,1s") == few and planned("3GFLOP,0.0003s") == few  # at 10^12 a second


def test_runs_of_unlike_budgets_are_not_said_to_cost_the_same():
    (run,) = plan(PlanOptions("sentiment", "tiny-bert", strategies=["full"], budget="16"), "fp32")
    (longer,) = plan(PlanOptions("sentiment", "tiny-bert", strategies=["full"], budget="32"), "fp32")
    faster = plan(
        PlanOptions("sentiment", "tiny-bert", strategies=["full"], budget="16", settings=["learning_rate=0.5"]), "fp32"
    )
    assert estimate.cost_key(run) == estimate.cost_key(replace(run, seed=3)) == estimate.cost_key(faster[0])
    assert estimate.cost_key(run) != estimate.cost_key(longer)

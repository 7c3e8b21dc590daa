"""What a plan costs together: the sum of what its parts cost, each thing once."""

import re
from dataclasses import replace

import pytest

from bench.inference.local import LocalBackend
from bench.modeling.models import Model
from bench.planning import totals as totals_module
from bench.planning.asking_cost import validation
from bench.planning.axes import parse_axes
from bench.planning.estimate import estimate_cost
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.totals import api_asking, plan_sentences, totals, tuning_seconds
from bench.planning.tuning import as_far_as_tuned, tuned
from bench.progress import Progress
from bench.records.trial import find_trial
from bench.running.assignments import Workplace
from bench.strategies import with_values

RATE = 1e6


def planned(strategies, tune=None, budget="16", **options):
    return plan(PlanOptions("sentiment", "tiny-bert", strategies=strategies, budget=budget, tune=tune or {}, **options), "auto")


def costed(runs):
    return [(run, estimate_cost(run, RATE)) for run in runs]


def test_totals_are_the_sums_and_bases_are_asked_once():
    once, twice = (costed(planned(["full", "frozen"], seeds=seeds, test_items=20)) for seeds in (1, 2))
    one, two = totals(once, (0.0, 0.0), RATE), totals(twice, (0.0, 0.0), RATE)
    assert one.training == pytest.approx(sum(cost.operations for _, cost in once) / RATE)
    assert two.training == pytest.approx(sum(cost.operations for _, cost in twice) / RATE) and two.training > 1.2 * one.training
    assert (two.tests, two.probes) == pytest.approx((2 * one.tests, 2 * one.probes))
    assert two.bases == one.bases > 0 and one.tests > 0 and one.probes > 0
    assert one.hours == pytest.approx((one.training + one.tests + one.probes + one.bases) / 3600)
    assert totals(costed(planned(["full", "frozen"], test_items=40)), (0.0, 0.0), RATE).tests == pytest.approx(
        2 * one.tests, rel=0.2
    )


@pytest.fixture
def listed(tmp_path):
    """The runs of a list of suites that differ in their probes and in how many test items they ask."""
    asked = {"one": "probes: [mrpc], test_items: 20", "other": "probes: [rte-pairs], test_items: 40"}
    for name, own in {**asked, "again": asked["one"]}.items():
        common = "version: 1, description: d, models: [tiny-bert], tasks: [sst2], strategies: [zero-shot, full], budget: '16'"
        (tmp_path / f"{name}.yaml").write_text(f"{{name: {name}, {common}, encoder_probe_items: 8, {own}}}")

    def listed(*names, **options):
        path = tmp_path / f"{'-'.join(names)}-list.yaml"
        path.write_text(f"{{name: list, version: 1, description: d, suites: [{', '.join(names)}]}}")
        return plan(PlanOptions(str(path), **options), "fp32")

    return listed


def test_a_base_is_asked_what_each_suite_of_a_list_asks_and_nothing_twice(listed):
    one, other, both, again = (
        totals(costed(listed(*names)), (0.0, 0.0), RATE).bases
        for names in (["one"], ["other"], ["one", "other"], ["one", "again"])
    )
    assert both == pytest.approx(one + other) and again == one > 0


def test_what_a_base_is_asked_hangs_on_no_order_of_its_runs(decoder_folder):
    """The last of them may train nothing, or mix no other task in."""
    options = PlanOptions("sentiment", str(decoder_folder), strategies=["zero-shot", "lora-8bit", "multitask"], budget="16")
    runs = costed(plan(options, "fp32"))
    alone = totals(runs[:1], (0.0, 0.0), RATE).bases
    forth, back = (totals(each, (0.0, 0.0), RATE).bases for each in (runs, runs[::-1]))
    assert forth == pytest.approx(back) and forth > alone > 0


def test_trials_are_counted_by_strategy_and_each_costs_what_its_run_would(tmp_path):
    runs, missing = as_far_as_tuned(planned(["full", "frozen"], {"trials": 6, "seeds": 2}), tmp_path)
    costs = [estimate_cost(replace(run, seed=1000), RATE) for run in runs]
    training = sum(12 * cost.operations / RATE for cost in costs)
    # Each training is scored once, on items that a share of the validation split is.
    tokens = [validation(replace(run, seed=1000), run.search.items).tokens for run in runs]
    asking = sum(12 * 2 * cost.memory.parameters * each / RATE for cost, each in zip(costs, tokens, strict=True))
    besides = f"about {training:.0f} s of training and {asking:.0f} s of validation"
    expected = f"tuning before that: 24 trainings of trials to do (full 12, frozen 12), {besides}"
    lines = list(plan_sentences(costed(runs), missing, RATE))
    assert lines[0] == expected and lines[-1].startswith("in all about ")
    assert tuning_seconds(missing, RATE) == pytest.approx((training, asking)) and asking > 0
    total, bare = (totals(costed(runs), each, RATE) for each in ((training, asking), (0.0, 0.0)))
    assert total.seconds == pytest.approx(bare.seconds + training + asking)


@pytest.mark.parametrize(("pruner", "budget", "scored"), [("none", "32", 1), ("halving", "32", 2), ("halving", "64", 3)])
def test_the_validation_that_is_planned_is_that_of_a_real_search(
    tmp_path, device, own_cache, monkeypatch, pruner, budget, scored
):
    """Steps are of 16 examples: with two of them there is one rung before the end, and with four there are two."""
    read, own = [], LocalBackend.head_logits
    monkeypatch.setattr(
        LocalBackend, "head_logits", lambda self, asked: read.append(sum(len(each.ids) for each in asked)) or own(self, asked)
    )
    runs, missing = as_far_as_tuned(planned(["full"], {"trials": 2, "pruner": pruner}, budget), tmp_path)
    cost = estimate_cost(missing[0].run, RATE)
    _, seconds = tuning_seconds(missing, RATE)
    tuned(runs, Workplace(tmp_path, device, Progress(False, 1)))
    records = [find_trial(tmp_path, trial.id) for trial in missing]
    assert [1 + len(record.rungs) for record in records] == [trial.scored(cost.steps) for trial in missing] == [scored] * 2
    # Of many items a few stand for all.
    assert seconds * RATE == pytest.approx(2 * cost.memory.parameters * sum(read), rel=0.1) and len(read) == 2 * scored


def test_what_tuning_takes_is_worked_out_once(tmp_path, monkeypatch):
    runs, missing = as_far_as_tuned(planned(["full"], {"trials": 2}), tmp_path)
    todo, asked = costed(runs), []
    monkeypatch.setattr(totals_module, "tuning_seconds", lambda *given: asked.append(given) or tuning_seconds(*given))
    assert list(plan_sentences(todo, missing, RATE))[-1].startswith("in all about ") and len(asked) == 1


def test_trials_at_each_point_of_an_axis_are_estimated_by_themselves(tmp_path):
    """Of one strategy, whose longest trainings else cost what the shortest do."""
    axes = parse_axes(["budget=16examples,160examples"])
    runs, missing = as_far_as_tuned(planned(["full"], {"trials": 3}, axes=axes), tmp_path)
    assert len(missing) == 6
    few, many = (estimate_cost(replace(run, seed=1000), RATE).operations for run in runs)
    assert tuning_seconds(missing, RATE)[0] == pytest.approx(3 * (few + many) / RATE) and many > 5 * few


def test_trials_of_a_learning_rate_are_estimated_once(tmp_path, monkeypatch):
    _, missing = as_far_as_tuned(planned(["full"], {"trials": 3}), tmp_path)
    asked = []
    monkeypatch.setattr(totals_module, "estimate_cost", lambda run, rate: asked.append(run) or estimate_cost(run, rate))
    other = replace(
        missing[1], run=replace(missing[1].run, strategy=with_values(missing[1].run.strategy, {"learning_rate": 1e-5}))
    )
    assert tuning_seconds([missing[0], other], RATE) == tuning_seconds(missing[:2], RATE) and len(asked) == 2


def test_trials_of_a_budget_in_seconds_take_these_seconds(tmp_path):
    _, missing = as_far_as_tuned(planned(["full"], {"trials": 3}, budget="10s"), tmp_path)
    # What is computed is planned a little above the useful operations that the time holds.
    assert 30 <= tuning_seconds(missing, 1e9)[0] <= 36


@pytest.fixture
def chat(server, tmp_path):
    """The file of a model behind an API."""
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: mine\ndescription: d\nendpoint: {{base_url: {server.url}, model: m}}\n")
    return str(path)


def test_nothing_is_said_of_the_time_that_asking_a_model_takes_whose_tokenizer_is_not_here(monkeypatch, tmp_path):
    """Planted fault: rows that train nothing took 0 s then."""
    monkeypatch.setattr(Model, "at_hand", False)
    runs, missing = as_far_as_tuned(planned(["few-shot"], {"trials": 2, "seeds": 2}), tmp_path)
    (line,) = plan_sentences([(run, estimate_cost(run, RATE)) for run in runs], missing, RATE)
    assert line == "tuning before that: 4 trainings of trials to do (few-shot 4)"


def test_a_chat_is_asked_each_question_once(chat):
    both, zero = (
        plan(PlanOptions("sentiment", chat, strategies=names, test_items=30), "fp32")
        for names in (["zero-shot", "few-shot"], ["zero-shot"])
    )
    assert api_asking(zero).items == 30 and api_asking(both).items == 60
    assert api_asking(both).read > 3 * api_asking(zero).read, "solved examples are read too"
    (line,) = plan_sentences([(run, estimate_cost(run, RATE)) for run in zero], [], RATE)
    assert re.match(r"asking mine over its API: 30 questions, about [\d,]+ tokens to read and at most [\d,]+ to write;", line)


def test_trials_of_a_chat_are_questions_and_take_no_time_of_this_machine(chat, tmp_path):
    options = PlanOptions("sentiment", chat, strategies=["few-shot"], test_items=30, tune={"trials": 3, "seeds": 2})
    runs, missing = as_far_as_tuned(plan(options, "fp32"), tmp_path / "out")
    tuning, asking = plan_sentences([(run, estimate_cost(run, RATE)) for run in runs], missing, RATE)
    assert tuning == "tuning before that: 6 trainings of trials to do (few-shot 6)"
    # The test is asked with and without examples, and each trial asks 30 validation items.
    assert asking.startswith("asking mine over its API: 240 questions,")


def test_what_a_search_of_a_chat_reads_at_most_is_said_before_it(chat, tmp_path):
    """Planted fault: trials and tests were counted with the default's four solved examples, and sixteen may be chosen."""

    def read(settings=(), tune=None):
        options = PlanOptions("sentiment", chat, strategies=["few-shot"], test_items=30, tune=tune, settings=settings)
        runs, missing = as_far_as_tuned(plan(options, "fp32"), tmp_path / "out")
        *_, line = plan_sentences([(run, estimate_cost(run, RATE)) for run in runs], missing, RATE)
        return int(re.search(r"about ([\d,]+) tokens to read", line)[1].replace(",", ""))

    most = read(["shots=16"])
    # Each of three trials asks as many validation items as the test has, in a search that may show as many examples.
    assert most < read(tune={"trials": 3}) and read(tune={"trials": 3}) > 3.5 * most
    assert read(["shots=4"]) < most / 2


def test_a_search_of_a_chat_that_is_over_makes_no_other_one_cheaper(chat, tmp_path):
    """Planted fault: trials were counted with the examples of the last row of their strategy, whichever task it was of."""
    options = PlanOptions("sentiment", chat, strategies=["few-shot"], test_items=30, tune={"trials": 3})
    runs, missing = as_far_as_tuned(plan(options, "fp32"), tmp_path / "out")
    over = [
        replace(
            run,
            task=run.task.model_copy(update={"name": "other"}),
            strategy=with_values(run.strategy, {"shots": 1}),
            tuning=run.tuning.model_copy(update={"chosen": 0}),
        )
        for run in runs
    ]

    def read(todo):
        *_, line = plan_sentences([(run, estimate_cost(run, RATE)) for run in todo], missing, RATE)
        return int(re.search(r"about ([\d,]+) tokens to read", line)[1].replace(",", ""))

    assert read([*runs, *over]) > read(runs)


def test_a_chat_is_asked_what_each_suite_of_a_list_asks(chat, listed):
    runs = listed("one", "other", model=chat, strategies=["zero-shot"])
    assert api_asking(runs).items == 60


def test_rows_that_are_shown_examples_ask_a_test_of_their_own():
    """What an untouched model is asked without any, its base is asked."""
    zero, shown = (totals(costed(planned([name], test_items=20)), (0.0, 0.0), RATE) for name in ("zero-shot", "few-shot"))
    assert zero.tests == 0 < shown.tests and zero.bases > 0

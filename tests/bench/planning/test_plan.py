import json
from dataclasses import replace

import pytest

from bench.errors import UserError
from bench.measuring.evaluation import eval_sets
from bench.planning import plan as planning
from bench.planning.axes import parse_axes
from bench.planning.options import PlanOptions
from bench.specs.library import BUILT_IN, Library
from bench.tasks.encoding import Encoding


def plan(**options):
    return planning.plan(PlanOptions("sentiment", **{"model": "tiny-bert", **options}), "fp32")


def test_the_suite_becomes_its_runs():
    runs = plan(seeds=2)
    # zero-shot depends on no seed and is run once
    assert [(r.strategy.name, r.seed) for r in runs][:3] == [("zero-shot", 0), ("few-shot", 0), ("few-shot", 1)]
    assert len(runs) == 1 + 6 * 2
    assert len({r.id for r in runs}) == len(runs)
    assert {spec.name for spec, _ in runs[0].probes} == {"mrpc"}  # the others are for decoders


def test_settings_reach_the_strategies_that_know_them():
    runs = {r.strategy.name: r for r in plan(settings=["learning_rate=1e-3", "frozen.learning_rate=1e-2", "peft.r=4"])}
    assert runs["full"].strategy.hyperparameters.learning_rate == 1e-3
    assert runs["frozen"].strategy.hyperparameters.learning_rate == 1e-2
    # a nested key changes one value of the suite's file and keeps the others
    assert runs["lora-8bit"].strategy.hyperparameters.peft["r"] == 4
    assert runs["lora-8bit"].strategy.hyperparameters.peft["target_modules"] == "all-linear"


def test_a_strategy_trains_each_type_of_task_as_its_file_says_unless_settings_say_otherwise():
    """Planted fault: all tasks of a suite had the rate of its first one."""
    options = PlanOptions("ner", "tiny-bert", tasks=["sst2", "squad", "medical-spans"], strategies=["multitask"], seeds=1)
    spec = Library().strategy("multitask")
    runs = planning.plan(options, "fp32")
    rates = {run.task.type: run.strategy.hyperparameters.learning_rate for run in runs}
    assert rates == {kind: spec.defaults("encoder", kind)["learning_rate"] for kind in ("classification", "qa", "ner")}
    assert rates["qa"] != rates["classification"]
    given = planning.plan(replace(options, settings=["learning_rate=1e-3"]), "fp32")
    assert {run.strategy.hyperparameters.learning_rate for run in given} == {1e-3}


def test_a_type_that_is_written_with_an_underscore_has_its_values_too(tmp_path):
    """Planted fault: a strategy's values for multiple-choice did not reach a task whose file says multiple_choice."""
    (tmp_path / "tasks").mkdir()
    task = (BUILT_IN / "tasks" / "medmcqa.yaml").read_text().replace("type: multiple-choice", "type: multiple_choice")
    (tmp_path / "tasks" / "mine.yaml").write_text(task.replace("name: medmcqa", "name: mine"))
    strategy = (BUILT_IN / "strategies" / "full.yaml").read_text().replace("  qa: {", "  multiple-choice: {")
    (tmp_path / "choosing.yaml").write_text(strategy.replace("name: full", "name: choosing"))
    named = str(tmp_path / "tasks" / "mine.yaml")
    options = PlanOptions("sentiment", "smollm2", tasks=[named], strategies=[str(tmp_path / "choosing.yaml")], seeds=1)
    (run,) = planning.plan(options, "fp32")
    assert run.task.type == "multiple_choice" and run.strategy.hyperparameters.learning_rate == 1.51e-4


def test_a_strategy_with_values_for_a_type_that_is_none_is_refused(tmp_path):
    text = (
        (BUILT_IN / "strategies" / "full.yaml").read_text().replace("  qa: {", "  qaa: {").replace("name: full", "name: mine")
    )
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(UserError, match="strategy 'mine': unknown task type 'qaa'; did you mean qa"):
        plan(strategies=[str(tmp_path / "mine.yaml")])


def test_a_strategy_that_is_named_by_its_file_is_set_by_its_own_name(tmp_path):
    text = (BUILT_IN / "strategies" / "lora-8bit.yaml").read_text().replace("name: lora-8bit", "name: lora-slow")
    (tmp_path / "mine.yaml").write_text(text)
    full, slow = plan(strategies=["full", str(tmp_path / "mine.yaml")], settings=["lora-slow.learning_rate=1e-5"])
    assert slow.strategy.hyperparameters.learning_rate == 1e-5 != full.strategy.hyperparameters.learning_rate


def test_a_task_without_instructions_is_refused_before_anything_runs_where_they_are_needed(tmp_path):
    (tmp_path / "tasks").mkdir()
    yaml = (BUILT_IN / "tasks" / "sst2.yaml").read_text()
    (tmp_path / "tasks" / "bare.yaml").write_text(yaml[: yaml.index("instructions:")].replace("name: sst2", "name: bare"))
    suite = tmp_path / "mine.yaml"
    suite.write_text(
        "{name: mine, version: 1, description: d, models: [tiny-bert], tasks: [bare], strategies: [full, instruction]}"
    )
    with pytest.raises(
        UserError, match="task 'bare' has no instructions, and strategy 'instruction' is asked by instruction: add"
    ):
        planning.plan(PlanOptions(str(suite)), "fp32")
    assert [run.strategy.name for run in planning.plan(PlanOptions(str(suite), strategies=["full"]), "fp32")] == ["full"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"settings": ["learning_rat=1"]}, "unknown hyper-parameter 'learning_rat'; did you mean learning_rate?"),
        ({"settings": ["learning_rate"]}, "write it as key=value"),
        ({"strategies": ["endpoint"]}, "unknown strategy 'endpoint'; known: few-shot, frozen, full"),
        ({"settings": ["multitask.tasks={sarcasm: 0.95}"]}, "shares must be positive and leave a part of the budget"),
        ({"settings": ["multitask.rehearsal=null"]}, "a rehearsal_share needs a rehearsal source with the column text"),
        ({"settings": ["multitask.tasks={sarcsm: 0.1}"]}, "unknown task 'sarcsm'; did you mean sarcasm?"),
        ({"settings": ["learning_rate=-1"]}, "field 'learning_rate': Input should be greater than 0"),
        ({"settings": ["lora-8bit.peft.peft_type=LORE"]}, "peft_type 'LORE' is unknown"),
        ({"settings": ["lora-8bit.peft.rank=4"]}, "unexpected keyword argument 'rank'"),
        ({"settings": ["lora-8bit.peft.r=abc"]}, "field 'peft': r is 'abc': Input should be a valid integer"),
        ({"settings": ["lora-8bit.peft.lora_alpha=.nan"]}, "lora_alpha is nan; it must be a finite number"),
        (
            {"settings": ["lora-8bit.peft.peft_type=PROMPT_TUNING"]},
            "num_virtual_tokens is None; PROMPT_TUNING",
        ),
        ({"settings": ["lora-8bit.peft={peft_type: PREFIX_TUNING, num_virtual_tokens: 0}"]}, "num_virtual_tokens is 0"),
        ({"settings": ["weight_decay=.inf"]}, "field 'weight_decay': Input should be a finite number"),
        ({"settings": ["max_grad_norm=.inf"]}, "field 'max_grad_norm': Input should be a finite number"),
        ({"strategies": ["ful"]}, "unknown strategy 'ful'; did you mean full?"),
        ({"tasks": ["sst3"]}, "unknown task 'sst3'; did you mean sst2?"),
        ({"model": "smolm2"}, "unknown model 'smolm2'; did you mean smollm2?"),
        ({"budget": "0"}, "budget '0' would train nothing"),
        ({"strategies": []}, "no strategy is named; leave the option out"),
        ({"settings": ["learning_rate=["]}, "the value cannot be read as YAML"),
        ({"settings": ["early_stopping=true"]}, "'early_stopping': a number is wanted there, and true and false are none"),
        ({"budget": "many"}, "budget 'many' is not understood"),
        ({"seeds": 1_001}, "1,001 seeds are too many; give at most 1,000, since trials have those beyond"),
        ({"vary": ["ordr"], "seeds": 5}, "unknown part of the seed 'ordr'; did you mean order?"),
        ({"vary": [], "seeds": 5}, "--vary names no part of the seed; there are init, order, dropout"),
        ({"vary": ["order"]}, "--vary needs at least two seeds to see a spread, and is given 1; add --seeds 5"),
        ({"vary": ["order"], "seeds": 5, "tune": {"trials": 2}}, "leave tuning out, and give what a search chose by --set"),
        ({"vary": ["order"], "seeds": 5, "probe_every": "50%"}, "reads no curve: leave --probe-every out"),
        ({"vary": ["order"], "seeds": 5, "strategies": ["zero-shot", "few-shot"]}, "none of the strategies trains"),
    ],
)
def test_wrong_options_get_a_sentence(options, sentence):
    with pytest.raises(UserError) as caught:
        plan(**options)
    assert sentence in str(caught.value)


def test_parts_of_the_seed_are_varied_for_what_trains():
    runs = plan(vary=["order", "init"], seeds=3, strategies=["zero-shot", "few-shot", "full", "frozen"])
    told = [(run.strategy.name, run.told_seed) for run in runs]
    assert told[:5] == [("full", seed) for seed in ("0", "1 of init", "2 of init", "1 of order", "2 of order")]
    assert [strategy for strategy, _ in told[5:]] == ["frozen"] * 5 and len({run.id for run in runs}) == 10


def test_a_stage_is_asked_as_it_was_trained_and_not_once_more_in_zero_shot_form(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "{name: mine, version: 1, description: d, models: [tiny-bert], stages: [rte, sst2], also: [rte, sarcasm], "
        "strategies: [zero-shot, full]}"
    )
    zero, full = planning.plan(PlanOptions(str(tmp_path / "mine.yaml")), "fp32")
    assert [task.name for task in full.also] == ["sarcasm"] and [task.name for task in zero.also] == ["rte", "sarcasm"]
    sets = eval_sets(full, Encoding(full.model, full.max_length)).elsewhere
    assert {name: evalset.head for name, evalset in sets.items()} == {"rte": 1, "sarcasm": None}


@pytest.fixture
def suite(tmp_path):
    """Writes a suite that sets hyper-parameters of its strategies; returns its path."""

    def write(hyperparameters, more=""):
        text = (BUILT_IN / "sentiment.yaml").read_text().replace("name: sentiment", "name: mine")
        (tmp_path / "mine.yaml").write_text(f"{text}hyperparameters: {hyperparameters}\n{more}\n")
        return str(tmp_path / "mine.yaml")

    return write


def test_a_suite_may_be_watched_on_the_way(suite):
    def strides(every, **options):
        path = suite("{}", f"probe_every: {every}")
        return {run.probe_every for run in planning.plan(PlanOptions(path, model="tiny-bert", **options), "fp32")}

    assert strides("0.5") == {"50%"} and strides("0.5", probe_every="10") == {"10"}
    assert strides("0.5", vary=["order"], strategies=["full"], seeds=2) == {None}
    with pytest.raises(UserError, match="probe-every often: give a number of steps"):
        strides("often")


def test_a_suites_hyperparameters_lie_between_defaults_and_settings(suite):
    path = suite("{lora-8bit: {learning_rate: 2.0e-4, warmup: 0.5, peft: {r: 16, target_modules: [query]}}}")
    settings = ["lora-8bit.warmup=0.25"]
    options = PlanOptions(path, model="tiny-bert", strategies=["full", "lora-8bit"], settings=settings)
    full, lora = planning.plan(options, "fp32")
    (default,) = plan(strategies=["lora-8bit"])
    found = lora.strategy.hyperparameters
    assert (found.learning_rate, found.warmup) == (2e-4, 0.25)  # also over the file's own values for encoders
    assert found.peft == default.strategy.hyperparameters.peft | {"r": 16, "target_modules": ["query"]}
    assert full.id == plan(strategies=["full"])[0].id
    assert lora.id != default.id


@pytest.mark.parametrize(
    ("hyperparameters", "sentence"),
    [
        (
            "{lora8bit: {}}",
            "mine.yaml: field 'hyperparameters': 'lora8bit' is none of the suite's strategies, zero-shot, few-shot",
        ),
        ("{full: {warmupp: 1}}", "strategy 'full' with the suite's hyperparameters: field 'warmupp' is not known"),
        ("{full: {warmup: 2}}", "strategy 'full' with the suite's hyperparameters: field 'warmup': Input should be less"),
    ],
)
def test_a_suites_wrong_hyperparameters_get_a_sentence(suite, hyperparameters, sentence):
    with pytest.raises(UserError) as caught:
        planning.plan(PlanOptions(suite(hyperparameters), model="tiny-bert"), "fp32")
    assert sentence in str(caught.value)


def several(**options):
    return planning.plan(PlanOptions("all", **{"model": "tiny-bert", **options}), "fp32")


def test_a_list_of_suites_is_planned_one_after_another():
    runs = several()
    parts = [planning.plan(PlanOptions(name, model="tiny-bert"), "fp32") for name in Library().suite("all").suites]
    assert [run.id for run in runs] == [run.id for part in parts for run in part]
    assert list(dict.fromkeys((run.suite, run.task.name) for run in runs)) == [
        ("sentiment", "sst2"),
        ("ner", "medical-spans"),
        ("ner", "sec-entities"),
        ("qa", "squad"),
    ]


def test_stages_in_a_list_are_planned_as_they_are_alone(tmp_path):
    (tmp_path / "both.yaml").write_text("{name: both, version: 1, description: d, suites: [stages, qa]}")
    runs = planning.plan(PlanOptions(str(tmp_path / "both.yaml"), model="tiny-bert", strategies=["full"]), "fp32")
    alone = planning.plan(PlanOptions("stages", model="tiny-bert", strategies=["full"]), "fp32")
    assert [run.id for run in runs[: len(alone)]] == [run.id for run in alone] and runs[-1].suite == "qa" and alone[0].earlier


def test_options_reach_the_suites_that_have_the_task():
    runs = several(tasks=["squad"], strategies=["full"], seeds=2, budget="7")
    assert [(run.suite, run.task.name, run.seed, str(run.budget)) for run in runs] == [
        ("qa", "squad", 0, "7examples"),
        ("qa", "squad", 1, "7examples"),
    ]
    both = several(tasks=["squad", "sst2"], strategies=["full"])
    assert [run.task.name for run in both] == ["sst2", "squad"]


def test_what_is_set_for_a_strategy_reaches_the_suites_of_a_list_that_have_it():
    """`claims-alone` has none but `instruction`."""
    runs = planning.plan(PlanOptions("claims", model="tiny-bert", settings=["lora-8bit.peft.r=16"]), "fp32")
    assert {run.strategy.hyperparameters.peft["r"] for run in runs if run.strategy.name == "lora-8bit"} == {16}
    with pytest.raises(UserError, match="unknown hyper-parameter 'peft_r'"):
        planning.plan(PlanOptions("claims", model="tiny-bert", settings=["lora-8bit.peft_r=16"]), "fp32")


def test_a_mixed_task_that_calls_itself_otherwise_is_refused(tmp_path):
    """Its share would be looked for under its own name, and not be found once it is trained on."""
    text = (BUILT_IN / "tasks" / "sarcasm.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(UserError, match="'multitask' mixes in '.*mine.yaml', a task that calls itself 'sarcasm'; name it so"):
        plan(strategies=["multitask"], settings=[f"multitask.tasks={{{tmp_path / 'mine.yaml'}: 0.2}}"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tasks": ["squat"]}, "unknown task 'squat'; did you mean squad"),
        (
            {"tasks": []},
            "no task is named; leave the option out for all of the suites': medical-spans, sec-entities",
        ),
        ({"probe_items": 5, "probe_power": "5points"}, "--probe-items and --probe-power both say how many items"),
        ({"tasks": ["sst2", "squat"]}, "unknown task 'squat'; did you mean squad"),
        # A task of the library that none of the listed suites measures: which one's budget would be meant?
        ({"tasks": ["sarcasm"]}, "unknown task 'sarcasm'"),
        ({"strategies": ["ful"]}, "unknown strategy 'ful'; did you mean full?"),
        ({"settings": ["learning_rat=1"]}, "unknown hyper-parameter 'learning_rat'"),
    ],
)
def test_wrong_options_of_a_list_get_a_sentence(options, sentence):
    with pytest.raises(UserError) as caught:
        several(**options)
    assert sentence in str(caught.value)


def test_a_memory_ceiling_is_meant_on_top_of_the_suites_budget():
    def budgets(**options):
        return {str(run.budget) for run in plan(strategies=["full"], **options)}

    assert budgets(budget="4GB") == {"1040examples,4GB"}  # the suite's for encoders
    assert budgets(budget="90s,4GB") == {"90s,4GB"}
    assert budgets(budget="0.08Mtokens") == budgets(budget="80_000tokens") == {"80ktokens"}


def test_a_suite_whose_budget_ends_no_training_is_refused(tmp_path, library):
    suite = library.suite("sentiment").model_dump(exclude_defaults=True) | {"budget": "4GB", "encoder_budget": "4GB"}
    (tmp_path / "mine.yaml").write_text(json.dumps(suite))
    with pytest.raises(UserError, match="budget '4GB' of suite 'sentiment' ends no training"):
        planning.plan(PlanOptions(str(tmp_path / "mine.yaml"), model="tiny-bert"), "fp32")


def test_a_sweep_has_the_runs_of_each_of_its_points():
    asked = {"strategies": ["lora-8bit"], "seeds": 2}
    swept = plan(axes=parse_axes(["peft.r=2,4", "budget=64,128"]), **asked)
    apart = [
        run for rank in (2, 4) for budget in ("64", "128") for run in plan(settings=[f"peft.r={rank}"], budget=budget, **asked)
    ]
    assert [run.id for run in swept] == [run.id for run in apart] and len({run.id for run in swept}) == 8
    prefixed = plan(settings=["lora-8bit.peft.r=2"], budget="64", **asked)
    assert [run.id for run in swept[:2]] == [run.id for run in prefixed]


def test_values_that_change_nothing_are_no_sweep():
    for strategy, axis in (("zero-shot", "budget=64,128"), ("full", "label_smoothing=0.1,0.10")):
        with pytest.raises(UserError, match="same runs"):
            plan(strategies=[strategy], axes=parse_axes([axis]))
    with pytest.raises(UserError, match="rank"):
        plan(strategies=["lora-8bit"], axes=parse_axes(["rank=2,4"]))


def test_rehearsal_that_an_encoder_cannot_have_is_told():
    for model, told in (("tiny-bert", True), ("smollm2", False)):
        (run,) = planning.plan(PlanOptions("sentiment", model=model, strategies=["rehearsal"]), "fp32")
        assert any("rehearses nothing on tiny-bert: only a decoder" in sentence for sentence in run.left_out) is told


def test_strategies_that_ask_the_same_are_refused():
    given = {"strategies": ["lora-8bit", "lora-slow"], "settings": ["learning_rate=1e-3"], "seeds": 1}
    with pytest.raises(UserError, match="strategies 'lora-8bit' and 'lora-slow' ask the same of tiny-bert with these settings"):
        planning.plan(PlanOptions("claims-whole", model="tiny-bert", **given), "fp32")

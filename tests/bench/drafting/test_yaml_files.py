"""The written YAML reads back as what was drafted, whatever the columns are called."""

import pytest
import yaml
from hypothesis import given as chosen
from hypothesis import strategies as st
from own_files import SHAPES, as_csv, reviews

from bench.drafting import yaml_files
from bench.drafting.draft import drafted
from bench.drafting.table import opened
from bench.drafting.wishes import Wishes
from bench.drafting.yaml_files import flow
from bench.errors import UserError
from bench.specs.base import read_spec
from bench.specs.suite import SuiteSpec
from bench.specs.task import TaskSpec
from bench.specs.yaml_text import yaml_value


def test_each_shape_reads_back_as_drafted_from_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suites" / "tasks").mkdir(parents=True)
    for shape in (each for each in SHAPES if not each.sentence):
        shape.write(tmp_path)
        draft = drafted(opened(shape.name, Wishes()), Wishes())
        suite, task = yaml_files.places(draft.name)
        text = yaml_files.task_yaml(draft)
        task.write_text(text)
        assert read_spec(task, TaskSpec) == draft.spec()
        assert "path: ../../" in text  # the folder can be moved as a whole
        values = yaml_files.suite_of(draft, "tiny-bert", 128)
        suite.write_text(yaml_files.suite_yaml(values))
        assert read_spec(suite, SuiteSpec) == SuiteSpec.model_validate(values) and values["tasks"] == [draft.name]


def test_instructions_are_a_comment_to_be_put_into_ones_own_words(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(as_csv(["text", "label"], [list(row) for row in reviews()]))
    text = yaml_files.task_yaml(drafted(opened(str(path), Wishes()), Wishes()))
    bare = text[text.index("# instructions:") :].replace("\n# ", "\n").removeprefix("# ")
    assert set(yaml.safe_load(bare)["instructions"]) == {"train", "test"} and "instructions" not in yaml.safe_load(text)


def controlled(folder):
    """A draft of a file whose names and labels hold control characters and quotes."""
    path = folder / "odd.csv"
    path.write_text(as_csv(["text", "is \x1b[2J"], [[t, f'so "{y}" \\ \x1b[31m'] for t, y in reviews()]))
    return drafted(opened(str(path), Wishes()), Wishes())


def test_control_characters_are_escaped_or_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a path beside the folder that one works in is written as it is meant from the task
    draft = controlled(tmp_path)
    text, (_, task) = yaml_files.task_yaml(draft), yaml_files.places(draft.name)
    task.parent.mkdir(parents=True)
    task.write_text(text)
    assert "\x1b" not in text and read_spec(task, TaskSpec) == draft.spec()
    bare = text[text.index("# instructions:") :].replace("\n# ", "\n").removeprefix("# ")
    assert 'so "good" \\' in yaml.safe_load(bare)["instructions"]["train"][0]


@pytest.mark.parametrize("code", ["1E50", "1e5", "5e-2", ".5e3", "-1E+7"])
def test_a_label_that_looks_like_a_power_of_ten_stays_a_word(code):
    """As codes of diseases do. Without quotes our own reader takes them for numbers."""
    assert yaml_value(f"k: {flow(code)}") == {"k": code} and yaml_value(flow([code, "CA23"])) == [code, "CA23"]


def test_what_could_not_be_read_again_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_files, "printable", str)
    with pytest.raises(UserError, match="what would be written is no YAML"):
        yaml_files.task_yaml(controlled(tmp_path))


@chosen(st.text(min_size=1), st.text())
def test_any_value_stands_on_a_line_and_reads_back(key, value):
    for each in ({key: value}, [value], value):
        line = yaml_files.flow(each)
        assert "\n" not in line and yaml.safe_load(f"field: {line}  # and why")["field"] == each

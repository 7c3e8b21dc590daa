"""A task's type is found by its name, and says what the task's YAML lacks."""

import pytest

from bench.errors import UserError
from bench.specs.base import read_spec
from bench.specs.library import BUILT_IN, Library
from bench.specs.task import TaskSpec
from bench.tasks import types

GOOD = (BUILT_IN / "tasks" / "sst2.yaml").read_text()


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
        ("cluster: group", "cluster: film", "'cluster': no source gives 'film'; they give group, label, text"),
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


@pytest.mark.parametrize(
    ("name", "prompt", "sentence"),
    [
        ("sst2", "{text} {label}", "{label}, which no model is shown; it may name text"),
        ("bar-exam", "{question} {a}", "{a}, which no model is shown; it may name choices, question"),
        ("coqa-chat", "{opening} {text}", "{opening}, which no model is shown; it may name history, text"),
        ("squad", "{context} {question} {answers}", "{answers}, which no model is shown; it may name context, group, question"),
        ("conll2003", "{words}", "{words}, which no model is shown; it may name text"),
        ("localisation-de", "{references}", "{references}, which no model is shown; it may name "),
    ],
)
def test_what_the_answer_is_made_of_stands_in_no_template(name, prompt, sentence):
    with pytest.raises(UserError) as caught:
        types.task_type(Library().task(name).model_copy(update={"prompt": prompt}))
    assert f"task '{name}': a template names {sentence}" in str(caught.value)

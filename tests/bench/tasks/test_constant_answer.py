"""Constant answers of every type: none that is one answer for all is better on training."""

from dataclasses import replace

import pytest

from bench import metrics
from bench.tasks import splits, types
from bench.tasks.constant_answer import CONSTANT, answerers
from bench.tasks.examples import Example


def answered(library, task, names=(CONSTANT,)):
    spec = library.task(task)
    kind, data = types.task_type(spec), splits.load_splits(spec)
    found = answerers(kind, data)
    assert list(found) == list(names)
    return kind, data, found[CONSTANT]


@pytest.mark.parametrize("task", ["sst2", "vader-movies"])
def test_the_majority_label_is_the_most_accurate(library, task):
    kind, data, constant = answered(library, task)
    labels = {constant(example) for example in data.test}
    right = {label: sum(example.gold == label for example in data.train) for label in kind.spec.labels}
    assert labels == {max(right, key=right.get)}


def test_no_entity_and_the_list_of_names(library):
    _, data, constant = answered(library, "sec-entities", [CONSTANT, "list of training names"])
    assert all(constant(example) == ["O"] * len(example.gold) for example in data.test)


def test_no_answer_or_the_most_frequent_one(library):
    kind, data, constant = answered(library, "squad")
    (said,) = {constant(example) for example in data.test}
    f1 = metrics.counted("squad_f1")
    golds = [list(example.gold) for example in data.train]
    assert f1.value([said] * len(golds), golds) >= f1.value([""] * len(golds), golds)
    open_ended = types.task_type(kind.spec.model_copy(update={"options": {"no_answer": "none"}}))
    mostly_none = [replace(example, gold=()) for example in data.train[:9]] + data.train[9:12]
    assert open_ended.constant(mostly_none)(data.test[0]) == ""


def test_a_corpus_has_no_answer_and_a_text_its_most_frequent_one(library):
    answered_by = answerers(types.task_type(library.task("film-plots")), splits.load_splits(library.task("film-plots")))
    assert answered_by == {}
    spec = library.task("squad").model_copy(update={"type": "generation", "options": {}, "metrics": ["rougeL"]})
    from bench.tasks.types.generation import Generation, GenerationOptions

    train = [Example(str(i), {}, (text,)) for i, text in enumerate(["a", "b", "b"])]
    assert Generation(spec, GenerationOptions()).constant(train)(train[0]) == "b"

"""Scores of answers without a model, by hand on the run's own items."""

from bench.inference.evalset import EvalSet
from bench.measuring.simple_answers import answers_without_model, simple_scores
from bench.specs.wording import Wording
from bench.tasks import splits, types


def asked(library, task, items=None):
    spec = library.task(task)
    return EvalSet(types.task_type(spec), splits.load_splits(spec), None, Wording(), 0, items=items)


def scored(evalset):
    return simple_scores(answers_without_model(evalset), evalset.task.spec.metrics[0])


def test_the_majority_label_of_the_items_asked(library):
    evalset = asked(library, "sst2", 40)
    found = scored(evalset)
    assert list(found) == ["constant answer"]
    score = found["constant answer"]
    right = sum(example.gold == "positive" for example in evalset.examples) / 40
    assert (score.name, score.value, score.n) == ("accuracy", right, 40) and score.ci_low < right < score.ci_high


def test_no_entity_and_the_list_of_names(library):
    found = scored(asked(library, "sec-entities"))
    assert found["constant answer"].value == 0 and 0.3 < found["list of training names"].value < 0.6
    frame = answers_without_model(asked(library, "sec-entities", 12))["list of training names"]
    assert frame["cluster"].notna().all() and frame["seen"].str.startswith("[").all()

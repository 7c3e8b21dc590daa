"""What must be alike in rows that are compared, as their records tell it; records made up here."""

import pytest

from bench.records.outcome import Robustness
from reports.rows.aspects import ASPECTS
from reports.rows.fairness import unfair, unlike
from reports.rows.rows import aggregate

TASK = {"name": "sst2", "version": 1, "prompt": "Review: {text}", "metrics": ["accuracy"]}


def told(record):
    return {aspect.name: aspect.of(record) for aspect in ASPECTS}


def differing(make, one, other):
    """The aspects in which records with these inputs differ: as the records tell them, and as a table of both does."""
    records = [make.record(name, inputs=inputs)[0] for name, inputs in (("full", one), ("frozen", other))]
    mine, theirs = map(told, records)
    found = {each.aspect: each.refuses for each in unlike(aggregate(records))}
    assert set(found) == {name for name, value in mine.items() if value and theirs[name] and value != theirs[name]}
    return found


@pytest.mark.parametrize(
    "fields", [{"version": 2}, {"options": {"outside": "drop"}}, {"type_version": 2}, {"labels": ["good"]}]
)
def test_the_definition_of_the_task_is_a_question(make, fields):
    """Planted fault: rows of two versions of a task, or whose entities are read in two ways, were ranked together."""
    assert differing(make, {"task": TASK}, {"task": TASK | fields}) == {"definition of the task": True}


def test_what_changes_no_answer_is_none(make):
    beside = {"metrics": ["f1_macro"], "cluster": "film", "name": "films"}
    assert differing(make, {"task": TASK}, {"task": TASK | beside}) == {}


def test_the_precision_of_the_base_is_a_question(make):
    """Planted fault: both ran in fp32 by their records, and the weights of one had been rounded to bf16."""
    plain = {"precision": "fp32"}
    assert differing(make, plain, plain | {"reference_precision": "bf16"}) == {"reference precision": True}
    # Only what is not fp32 is written down; of a record without inputs nothing is known.
    assert differing(make, plain, plain | {"reference_precision": "fp32"}) == {}
    assert differing(make, {}, plain | {"reference_precision": "bf16"}) == {}


def test_the_definition_of_another_task_is_a_question(make):
    """Planted fault: the scores of two versions of a task that nobody was trained on stood in one column."""

    def asked(name, version):
        inputs = {"also": [{"name": "rte", "version": version}]}
        return make.elsewhere(make.record(name, inputs=inputs), "rte", 0.6, 64)[0]

    found = {each.aspect: each.refuses for each in unlike(aggregate([asked("full", 1), asked("frozen", 2)]))}
    assert found == {"definition of rte": True} and unlike(aggregate([asked("full", 1), asked("frozen", 1)])) == []


def test_single_wordings_are_asked_as_many_items(make):
    """Planted fault: the spread over wordings of 64 items stood beside that of 16."""

    def worded(name, items):
        record = make.record(name)[0]
        scores = {f"wording {each}": record.outcome.score.model_copy(update={"n": items}) for each in range(2)}
        return make.changed(record, robustness=Robustness(scores=scores))

    found = {each.aspect: each.refuses for each in unlike(aggregate([worded("full", 64), worded("frozen", 16)]))}
    assert found == {"number of items of each wording": True}
    assert unlike(aggregate([worded("full", 64), make.record("frozen")[0]])) == []


def test_batches_and_lengths_are_a_chance(make):
    """Planted fault: of a budget of 4 steps one row had four times the examples of the other, and "was better"."""
    both = {"batch": 16, "max_length": 256}
    assert differing(make, both, both | {"batch": 4}) == {"batch": False}
    assert differing(make, both, both | {"max_length": 8}) == {"max_length": False}
    rows = aggregate([make.record("full", inputs=both)[0], make.record("frozen", inputs=both | {"batch": 4})[0]])
    assert list(unfair(rows)) == ["not the same chance: batch differs: 16 examples (full), 4 examples (frozen)"]


def test_what_trains_nothing_has_no_batch(make):
    bare = make.record("zero-shot", trainable=0, inputs={"batch": 4})[0]
    assert told(bare)["batch"] is None and told(make.record("full", inputs={"batch": 4})[0])["batch"] == "4 examples"

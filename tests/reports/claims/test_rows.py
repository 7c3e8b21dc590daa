"""Which rows may be held against each other."""

import pytest

from bench.records.record import Tuning
from reports.claims import rows as sets


@pytest.mark.parametrize(
    "other",
    [
        {"inputs": {"test_items": 20}},
        {"inputs": {"precision": "bf16"}},
        {"inputs": {"task": {"name": "rte"}}},
        {"inputs": {"engine": 4}},
        {"budget": "64examples"},
    ],
)
def test_another_question_is_no_pair(rows, other):
    assert not list(sets.opposed(rows(("full", 0.8, {}), ("lora-8bit", 0.8, other)), "Adapter", "Full"))
    assert len(list(sets.opposed(rows(("full", 0.8, {}), ("lora-8bit", 0.8, {})), "Adapter", "Full"))) == 1


def test_rows_with_unlike_chances_to_be_tuned_are_no_pair(rows):
    found = rows(("full", 0.8, {}), ("lora-8bit", 0.8, {"tuning": Tuning(trials=4)}))
    assert not list(sets.opposed(found, "Adapter", "Full"))


def test_an_adapter_at_the_others_rate_stands_back(rows):
    found = rows(("full", 0.8, {}), ("lora-slow", 0.8, {}), ("lora-8bit", 0.8, {"rate": 1e-3}))
    assert [one.label for one, _ in sets.adapters(found)] == ["lora-8bit"]
    assert [one.label for one, _ in sets.adapters(found[:2])] == ["lora-slow"]


def test_an_adapter_stands_back_only_where_another_was_asked_the_same(rows):
    """Planted fault: on a task of its own, a search that gave both strategies one rate took the pair out of every claim."""
    elsewhere = {"inputs": {"task": {"name": "rte"}}, "task": "rte"}
    found = rows(("full", 0.8, {}), ("lora-8bit", 0.8, {"rate": 1e-3}), ("full", 0.7, elsewhere), ("lora-slow", 0.7, elsewhere))
    assert [one.label for one, _ in sets.adapters(found)] == ["lora-8bit", "lora-slow"]


def spent(budget, examples):
    return {"budget": budget, "cost": {"train_examples": examples}}


def test_one_budget_is_no_little_data_however_many_examples_it_came_to(rows):
    """Seconds come to fewer examples in one row than in another. Planted fault: the row with fewest was one of little data."""
    fast, slow = spent("90s", 600), spent("90s", 500)
    found = rows(("full", 0.8, fast), ("lora-8bit", 0.8, fast | {"rate": 1e-3}), ("lora-32bit", 0.8, slow | {"rate": 1e-3}))
    assert not list(sets.with_little_data(sets.adapters(found)))
    more = rows(("full", 0.9, spent("900s", 5000)), ("lora-8bit", 0.9, spent("900s", 5000) | {"rate": 1e-3}))
    little = list(sets.with_little_data(sets.adapters([*found, *more])))
    assert [(one.label, one.setup.budget) for one, _ in little] == [("lora-8bit", "90s"), ("lora-32bit", "90s")]


def test_every_row_of_the_largest_budget_is_prompted_against(rows):
    """Planted fault: of a budget in seconds only the row that had come to most examples was."""
    found = rows(("zero-shot", 0.6, {"trainable": 0}), ("full", 0.8, spent("90s", 600)), ("frozen", 0.7, spent("90s", 900)))
    assert [trained.label for _, trained in sets.prompted(found)] == ["full", "frozen"]


def test_the_better_prompt_against_the_most_data(rows):
    few = {"budget": "128examples", "cost": {"train_examples": 128}}
    found = rows(("zero-shot", 0.6, {"trainable": 0}), ("full", 0.8, {}), ("full", 0.7, few))
    assert [(a.label, b.setup.budget) for a, b in sets.prompted(found)] == [("zero-shot", "512examples")]


def test_rows_of_which_it_is_not_known_what_was_asked_are_left_out(rows, make):
    found = rows(("full", 0.8, {}))
    unknown = make.changed(found[0].records[0], inputs={})
    assert sets.usable(found) == found and sets.usable([type(found[0])((unknown,), score=found[0].score)]) == []


def test_a_place_names_the_fewest_seeds(rows):
    full, adapter, written = rows(
        ("full", 0.8, {"seeds": 3}), ("lora-8bit", 0.8, {"seeds": 1}), ("frozen", 0.8, {"budget": None})
    )
    assert sets.task_and_budget(full) == "sst2, 512examples, 3 seeds"
    assert sets.task_and_budget(full, adapter) == "sst2, 512examples, 1 seed"
    assert sets.task_and_budget(written) == "sst2, 2 seeds"

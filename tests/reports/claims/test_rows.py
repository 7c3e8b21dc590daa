"""Which rows may be held against each other."""

import pytest

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


def test_an_adapter_at_the_others_rate_stands_back(rows):
    found = rows(("full", 0.8, {}), ("lora-slow", 0.8, {}), ("lora-8bit", 0.8, {"rate": 1e-3}))
    assert [one.label for one, _ in sets.adapters(found)] == ["lora-8bit"]
    assert [one.label for one, _ in sets.adapters(found[:2])] == ["lora-slow"]


def test_the_better_prompt_against_the_most_data(rows):
    few = {"budget": "128examples", "cost": {"train_examples": 128}}
    found = rows(("zero-shot", 0.6, {"trainable": 0}), ("full", 0.8, {}), ("full", 0.7, few))
    assert [(a.label, b.setup.budget) for a, b in sets.prompted(found)] == [("zero-shot", "512examples")]


def test_rows_of_which_it_is_not_known_what_was_asked_are_left_out(rows, make):
    found = rows(("full", 0.8, {}))
    unknown = make.changed(found[0].records[0], inputs={})
    assert sets.usable(found) == found and sets.usable([type(found[0])((unknown,), score=found[0].score)]) == []

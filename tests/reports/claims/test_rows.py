"""Which rows may be held against each other."""

from dataclasses import replace

import pytest

from bench.records.record import Limit, Spending, Tuning
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


TRIALS = {"trials": 4, "share": 1.0, "seeds": 1, "items": 512, "sampler": "random", "pruner": "none"}


def timed(placement, spent=90):
    limits = {"seconds": Limit(limit=90, spent=spent)}
    return {
        "budget": "90s",
        "inputs": {"placement": placement},
        "spending": Spending(limits=limits, ended_by="seconds"),
    }


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({}, {"tuning": Tuning(trials=4)}),
        *(
            ({"tuning": Tuning(**TRIALS)}, {"tuning": Tuning(**TRIALS | {name: value})})
            for name, value in {"share": 0.1, "seeds": 5, "items": 32, "sampler": "tpe", "pruner": "halving"}.items()
        ),
        (timed("cpu x 1"), timed("cuda x 1")),
        (timed("cpu x 1"), timed("cpu x 4")),
        (timed("cpu x 1"), timed("cpu x 1", spent=95)),
        ({}, {"data_hash": "ef" * 32}),
    ],
)
def test_rows_with_unlike_chances_are_no_pair(rows, mine, theirs):
    """Planted fault: trials that cost a tenth, and seconds on another kind of device, counted as the same chance."""
    assert not list(sets.opposed(rows(("full", 0.8, mine), ("lora-8bit", 0.8, theirs)), "Adapter", "Full"))
    assert len(list(sets.opposed(rows(("full", 0.8, mine), ("lora-8bit", 0.8, mine)), "Adapter", "Full"))) == 1


def test_seconds_of_a_longer_budget_are_more_data_and_prompts_have_no_place(rows):
    short = timed("cpu x 1") | {"cost": {"train_examples": 500}}
    long = timed("cpu x 1") | {"budget": "900s", "cost": {"train_examples": 5000}}
    found = rows(
        ("zero-shot", 0.6, {"trainable": 0}), *((name, 0.8, how) for how in (short, long) for name in ("full", "frozen"))
    )
    assert [one.setup.budget for one, _ in sets.with_little_data(sets.opposed(found, "Frozen", "Full"))] == ["90s"]
    assert {trained.setup.budget for _, trained in sets.prompted(found)} == {"900s"}


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


def test_a_tuned_row_is_prompted_against_by_no_untuned_shots(rows):
    """`few-shot` hangs on its shots, which trials could choose; `zero-shot` on nothing."""
    zero, shots = ("zero-shot", 0.6, {"trainable": 0}), ("few-shot", 0.7, {"trainable": 0, "hyperparameters": {"shots": 4}})
    tuned = ("full", 0.8, {"tuning": Tuning(**TRIALS)})
    assert len(list(sets.prompted(rows(zero, tuned)))) == 1 and not list(sets.prompted(rows(zero, shots, tuned)))
    assert len(list(sets.prompted(rows(zero, shots, ("full", 0.8, {}))))) == 1


def test_the_better_prompt_against_the_most_data(rows):
    few = {"budget": "128examples", "cost": {"train_examples": 128}}
    found = rows(("zero-shot", 0.6, {"trainable": 0}), ("full", 0.8, {}), ("full", 0.7, few))
    assert [(a.label, b.setup.budget) for a, b in sets.prompted(found)] == [("zero-shot", "512examples")]


def test_rows_of_which_it_is_not_known_what_was_asked_are_left_out(rows, make):
    found = rows(("full", 0.8, {}))
    unknown = make.changed(found[0].records[0], inputs={})
    assert sets.usable(found) == found and sets.usable([type(found[0])((unknown,), score=found[0].score)]) == []


def test_rows_that_collapsed_with_every_seed_are_left_out(rows, make):
    """Planted fault: adapters were "ahead" of a full training that gave each item the same answer."""
    (full,) = rows(("full", 0.8, {}))
    fallen = [make.changed(record, collapsed="one label alone") for record in full.records]
    assert sets.usable([replace(full, records=(full.records[0], fallen[1]))]) != []
    assert sets.usable([replace(full, records=tuple(fallen))]) == []


def test_a_place_names_the_fewest_seeds(rows):
    full, adapter, written = rows(
        ("full", 0.8, {"seeds": 3}), ("lora-8bit", 0.8, {"seeds": 1}), ("frozen", 0.8, {"budget": None})
    )
    assert sets.task_and_budget(full) == "sst2, 512examples, 3 seeds"
    assert sets.task_and_budget(full, adapter) == "sst2, 512examples, 1 seed"
    assert sets.task_and_budget(written) == "sst2, 2 seeds"

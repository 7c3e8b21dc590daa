"""Solved examples: chosen by the seed, balanced over labels, in words as a question has them."""

from collections import Counter

import pytest

from bench.tasks import splits, types
from bench.tasks.few_shot import pick_shots, solved


@pytest.mark.parametrize("shots", [0, 1, 2, 4, 5])
def test_labels_take_turns(sst2, shots):
    data = splits.load_splits(sst2)
    picked = pick_shots(types.task_type(sst2), data, shots, seed=0)
    counts = Counter(example.gold for example in picked)
    assert len(picked) == len({example.id for example in picked}) == shots
    assert not counts or max(counts[label] for label in sst2.labels) - min(counts[label] for label in sst2.labels) <= 1
    assert {example.id for example in picked} <= {example.id for example in data.train}


def test_the_seed_puts_the_labels_of_each_turn_in_order(sst2):
    """Each of the four orders of two turns about as often. Planted faults: positive stood last always, or one label did."""
    kind, data = types.task_type(sst2), splits.load_splits(sst2)
    orders = Counter(tuple(example.gold for example in pick_shots(kind, data, 4, seed)) for seed in range(120))
    assert all(len(set(each[:2])) == len(set(each[2:])) == 2 for each in orders)
    assert len(orders) == 4 and max(orders.values()) <= 45
    # Of five the one more is of either label.
    assert len({Counter(example.gold for example in pick_shots(kind, data, 5, seed))["positive"] for seed in range(20)}) == 2


def test_the_seed_chooses(sst2):
    kind, data = types.task_type(sst2), splits.load_splits(sst2)
    assert pick_shots(kind, data, 4, 1) == pick_shots(kind, data, 4, 1) != pick_shots(kind, data, 4, 2)


def test_a_task_without_single_labels_takes_what_comes(library):
    spec = library.task("squad")
    assert len(pick_shots(types.task_type(spec), splits.load_splits(spec), 3, 0)) == 3


def test_each_example_stands_with_its_answer(sst2):
    kind, data = types.task_type(sst2), splits.load_splits(sst2)
    one, two = data.train[:2]
    said = solved(kind, [one, two])
    assert said == "".join(f"{sst2.prompt.format(**e.fields)} {sst2.answers[e.gold]}\n\n" for e in (one, two))
    assert solved(kind, []) == ""

"""Solved examples that stand before a question (Brown et al. 2020)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.tasks.examples import Example
from bench.tasks.prompts import plain
from bench.tasks.splits import TrainingData
from bench.tasks.types import TaskType
from bench.tokens.batches import order


def pick_shots(task: TaskType, data: TrainingData, shots: int, seed: int) -> list[Example]:
    """`shots` training examples chosen by the seed; labels take turns where an example has one label.

    The seed draws the order of the labels anew for each turn, for order moves the answers (Zhao et al. 2021): were one label
    always the last one shown, that would be a part of each seed's score that no interval over seeds holds.
    """
    if not shots:
        return []
    positions = order(seed, len(data.train))
    # One epoch of an order that has no end: no example comes twice.
    drawn = (data.train[next(positions)] for _ in range(len(data.train)))
    labels = data.spec.labels if task.asks == "rank" else []
    if not labels:
        return [example for example, _ in zip(drawn, range(shots), strict=False)]
    by_label: dict[Any, list[Example]] = {label: [] for label in labels}
    for example in drawn:
        by_label[example.gold].append(example)
        if all(len(examples) * len(labels) >= shots for examples in by_label.values()):
            break
    # Another stream than that of the examples: of two alike the second would undo the first's order.
    chance = np.random.default_rng([seed, 1])
    orders = (chance.permutation(labels).tolist() for _ in range(shots))
    turns = [by_label[label][turn] for turn, each in enumerate(orders) for label in each if turn < len(by_label[label])]
    return turns[:shots]


def solved(task: TaskType, examples: Sequence[Example]) -> str:
    """The examples in words with their answers, to stand before a question."""
    return "".join(f"{plain(task.spec, example)} {task.answer(example)}\n\n" for example in examples)

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
    """`shots` training examples, chosen and put in order by the seed; of each label as many as of another, or one more, where
    an example has one label.

    Their order is left to chance too, for it moves the answers (Zhao et al. 2021): were a label always the last one shown, that
    would be a part of each seed's score that no interval over seeds holds.
    """
    if not shots:
        return []
    positions = order(seed, len(data.train))
    # One epoch of an order that has no end: no example comes twice.
    drawn = (data.train[next(positions)] for _ in range(len(data.train)))
    # Of one stream, apart from that of the examples: of two alike the second would undo the first's order.
    chance = np.random.default_rng([seed, 1])
    labels = chance.permutation(data.spec.labels).tolist() if task.asks == "rank" else []
    if not labels:
        return [example for example, _ in zip(drawn, range(shots), strict=False)]
    by_label: dict[Any, list[Example]] = {label: [] for label in labels}
    for example in drawn:
        by_label[example.gold].append(example)
        if all(len(examples) * len(labels) >= shots for examples in by_label.values()):
            break
    turns = [by_label[label][turn] for turn in range(shots) for label in labels if turn < len(by_label[label])]
    return [turns[place] for place in chance.permutation(min(shots, len(turns)))]


def solved(task: TaskType, examples: Sequence[Example]) -> str:
    """The examples in words with their answers, to stand before a question."""
    return "".join(f"{plain(task.spec, example)} {task.answer(example)}\n\n" for example in examples)

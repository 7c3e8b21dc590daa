"""Solved examples that stand before a question (Brown et al. 2020)."""

from collections.abc import Sequence
from typing import Any

from bench.tasks.examples import Example
from bench.tasks.prompts import plain
from bench.tasks.splits import TrainingData
from bench.tasks.types import TaskType
from bench.tokens.batches import order


def pick_shots(task: TaskType, data: TrainingData, shots: int, seed: int) -> list[Example]:
    """`shots` training examples chosen by the seed; labels take turns where an example has one label."""
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
    turns = [by_label[label][turn] for turn in range(shots) for label in labels if turn < len(by_label[label])]
    return turns[:shots]


def solved(task: TaskType, examples: Sequence[Example]) -> str:
    """The examples in words with their answers, to stand before a question."""
    return "".join(f"{plain(task.spec, example)} {task.answer(example)}\n\n" for example in examples)

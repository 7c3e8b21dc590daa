"""Answers that need no model: the simplest constant one of each task, and what else its type can say from training alone.

A model that is no better than these has learned nothing of the task, or has collapsed.
"""

from bench.tasks.splits import TrainingData
from bench.tasks.types import TaskType
from bench.tasks.types.base import Answerer

CONSTANT = "constant answer"
"""The most frequent label, no entity, no answer or the most frequent one."""


def answerers(task: TaskType, data: TrainingData) -> dict[str, Answerer]:
    """By name; a corpus has none, as nothing is asked of it."""
    constant = task.constant(data.train)
    return ({CONSTANT: constant} if constant else {}) | task.references(data.train)

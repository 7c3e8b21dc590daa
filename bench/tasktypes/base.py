"""What a task type answers for: candidate answers in words, a head's shape and target, and how scores become a prediction."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from bench.data import Example
from bench.specs import TaskSpec


class TaskType(ABC):
    """One object per task; it knows no strategy and no model."""

    auto_class: ClassVar[Any]
    """transformers' AutoModel class that carries the head."""

    def __init__(self, spec: TaskSpec) -> None:
        self.spec = spec

    @abstractmethod
    def candidates(self) -> list[str]:
        """Possible answers in words, ranked by their likelihood."""

    @abstractmethod
    def answer(self, example: Example) -> str:
        """The right answer in words."""

    @abstractmethod
    def outputs(self) -> int:
        """Width of the head."""

    @abstractmethod
    def target(self, example: Example) -> int:
        """The right output of the head."""

    @abstractmethod
    def prediction(self, scores: Sequence[float]) -> str:
        """The predicted value from one score per candidate or output; compared with the example's label by the metrics."""

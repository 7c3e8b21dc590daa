"""One label per text: the most likely answer in words, or the head's highest logit."""

from collections.abc import Sequence

from transformers import AutoModelForSequenceClassification

from bench.data import Example
from bench.tasktypes.base import TaskType


class Classification(TaskType):
    auto_class = AutoModelForSequenceClassification

    def candidates(self) -> list[str]:
        return [self.spec.answers[label] for label in self.spec.labels]

    def answer(self, example: Example) -> str:
        return self.spec.answers[example.label]

    def outputs(self) -> int:
        return len(self.spec.labels)

    def target(self, example: Example) -> int:
        return self.spec.labels.index(example.label)

    def prediction(self, scores: Sequence[float]) -> str:
        return self.spec.labels[max(range(len(scores)), key=scores.__getitem__)]

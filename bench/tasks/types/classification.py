"""One label per text: the most likely answer in words, or the head's highest logit."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor
from transformers import AutoModelForSequenceClassification

from bench.tasks.examples import Example
from bench.tasks.prompts import plain
from bench.tasks.types.base import Answerer, TaskType
from bench.tokens.encoded import Encoded
from bench.tokens.windows import whole


class Classification(TaskType):
    asks = "rank"
    values = (str, str)
    gold = frozenset({"label"})
    auto_class = AutoModelForSequenceClassification

    def fault(self) -> str | None:
        if len(self.spec.labels) < 2:
            return "field 'labels': a classification task needs at least two"
        if set(self.spec.answers) != set(self.spec.labels):
            return f"field 'answers' must name the labels {', '.join(self.spec.labels)}"
        if len(set(self.spec.answers.values())) != len(self.spec.labels):
            return "field 'answers': two labels have the same answer"
        if silent := next((label for label, answer in self.spec.answers.items() if not answer.strip()), None):
            return f"field 'answers': the answer for '{silent}' is empty"
        return None

    def read(self, row: Mapping[str, Any]) -> tuple[dict[str, str], str]:
        label = row["label"]
        if label not in self.spec.labels:
            raise ValueError(f"label '{label}' is not one of {', '.join(self.spec.labels)}")
        return self.fields(row), label

    def uniform(self, examples: Sequence[Example]) -> str | None:
        labels = {str(example.gold) for example in examples}
        return f"is labelled '{min(labels)}'" if len(labels) == 1 else None

    def label(self, example: Example) -> str:
        return str(example.gold)

    def constant(self, train: Sequence[Example]) -> Answerer:
        """The most frequent label; of several the one that the task names first."""
        counts = Counter(str(example.gold) for example in train)
        most = max(self.spec.labels, key=lambda label: counts[label])
        return lambda example: most

    def candidates(self, example: Example) -> dict[str, str]:
        return {label: self.spec.answers[label] for label in self.spec.labels}

    def described(self, example: Example) -> dict[str, str]:
        """Each answer behind the prompt's own words."""
        empty = plain(self.spec, Example("", dict.fromkeys(example.fields, ""), ""))
        return {label: f"{empty} {words}" for label, words in self.candidates(example).items()}

    def answer(self, example: Example) -> str:
        return self.spec.answers[str(example.gold)]

    def parse(self, example: Example, text: str) -> str | None:
        """The label with whose words the text begins; the longest ones, should one answer begin another."""
        # Chat models like to write **Positive.** or "positive".
        reply = text.strip().lstrip(".\"'*").lower()
        fitting = [label for label, words in self.spec.answers.items() if re.match(rf"{re.escape(words.lower())}(?!\w)", reply)]
        return max(fitting, key=lambda label: len(self.spec.answers[label]), default=None)

    def outputs(self) -> int:
        return len(self.spec.labels)

    def encode(self, tokenizer: Any, limit: int, example: Example, texts: Sequence[str]) -> list[Encoded]:
        return [replace(whole(tokenizer, limit, texts), labels=(self.spec.labels.index(str(example.gold)),))]

    def judge(self, example: Example, windows: Sequence[Encoded], logits: Sequence[Tensor]) -> tuple[str, float]:
        # One window, since what is too long was cut: `whole`.
        shares = logits[0][0].softmax(-1)
        return self.spec.labels[int(shares.argmax())], float(shares.max())

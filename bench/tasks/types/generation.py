"""Text in, text out: translation, summarisation, dialogue. A decoder's task; rows hold the `references` of each input."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from bench.tasks.examples import Example
from bench.tasks.types.base import Answerer, TaskOptions, TaskType, listed


class GenerationOptions(TaskOptions):
    answer_tokens: int = Field(default=64, ge=1)
    beams: int = Field(default=1, ge=1, le=16)
    """Of beam search; 1 is greedy."""


class Generation(TaskType):
    Options = GenerationOptions
    version = 2
    """Since 2 an answer under an instruction ends with its line where the model has no chat template."""
    options: GenerationOptions
    asks = "write"
    values = (str, list[str])
    gold = frozenset({"references"})

    def read(self, row: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]] | None:
        # One line: a line's end ends a plainly worded answer.
        references = tuple(" ".join(str(text).split()) for text in listed(row["references"]))
        if not references or not all(references):
            raise ValueError("field 'references' is empty")
        return self.fields(row), references

    def constant(self, train: Sequence[Example]) -> Answerer:
        """The most frequent reference."""
        most = Counter(self.answer(example) for example in train).most_common(1)[0][0]
        return lambda example: most

    def references(self, train: Sequence[Example]) -> dict[str, Answerer]:
        """Where one text is read, the text itself: a translation shares names and numbers with it, and a summary words."""
        first, *others = sorted(self.named())
        return {} if others else {"copy of the input": lambda example: example.fields[first]}

    def answer(self, example: Example) -> str:
        return example.gold[0]

    @property
    def answer_tokens(self) -> int:
        return self.options.answer_tokens

    @property
    def beams(self) -> int:
        return self.options.beams

    @property
    def weighs(self) -> bool:
        return True

    def parse(self, example: Example, text: str) -> str | None:
        """All of it; an empty text is malformed."""
        return " ".join(text.split()) or None

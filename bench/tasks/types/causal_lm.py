"""A corpus: the loss is on every token of the text, the score its perplexity. A decoder's task, without words around it."""

from collections.abc import Mapping
from typing import Any

from bench.tasks.types.base import TaskType


class CausalLm(TaskType):
    asks = "read"
    values = (list[float], None)
    gold = frozenset()

    def fault(self) -> str | None:
        return None if self.spec.fields_named() == {"text"} else "field 'prompt': a corpus has the field {text} alone"

    def read(self, row: Mapping[str, Any]) -> tuple[dict[str, str], str]:
        return self.fields(row), ""

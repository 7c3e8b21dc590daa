"""What training examples are to a model in plain words: made once for all runs of a process that train on them.

Every run asks for it, whatever its strategy's words, since the order of its examples hangs on how long they are.
"""

import marshal
from dataclasses import dataclass, field, fields
from functools import lru_cache

from bench.specs.wording import Wording
from bench.tasks.encoding import Encoding
from bench.tasks.examples import Example
from bench.tasks.types import TaskType
from bench.tokens.encoded import Encoded

KEPT_EXAMPLES = 8192
"""Examples, those that were asked for last. A run sorts some hundreds by length at once, and asks for each again soon."""


@dataclass(frozen=True)
class _Asked:
    """Equal where the same example of a task is to be the same to the same model."""

    model: str
    """By the hash of its content."""
    max_length: int
    head: int
    place: int
    """Of the example in memory. It is kept with what was made of it, so that no other comes to lie there."""
    encoding: Encoding = field(compare=False)
    task: TaskType = field(compare=False)
    example: Example = field(compare=False)


def plain_encoding(encoding: Encoding, task: TaskType, example: Example, head: int) -> list[Encoded]:
    """What `Encoding.training` makes of an example in plain words.

    Raises:
        UserError: as it does.
    """
    asked = _Asked(encoding.model.content_hash, encoding.max_length, head, id(example), encoding, task, example)
    return [Encoded(*values) for values in marshal.loads(_made(asked))]


@lru_cache(maxsize=KEPT_EXAMPLES)
def _made(asked: _Asked) -> bytes:
    # As bytes, which take a seventh of the memory: it is charged to the run that makes them, and to none of those after it.
    sequences = asked.encoding.training(asked.task, asked.example, Wording(), 0, asked.head)
    return marshal.dumps([[getattr(each, name.name) for name in fields(Encoded)] for each in sequences])

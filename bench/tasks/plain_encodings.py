"""What training examples are to a model in plain words: made once for all runs of a process that train on them.

Every run asks for it, whatever its strategy's words, since the order of its examples hangs on how long they are.
"""

import marshal
from dataclasses import fields

from bench.once_per_object import once_per_object
from bench.specs.wording import Wording
from bench.tasks.encoding import Encoding
from bench.tasks.examples import Example
from bench.tasks.types import TaskType
from bench.tokens.encoded import Encoded


def plain_encoding(encoding: Encoding, task: TaskType, example: Example, head: int) -> list[Encoded]:
    """What `Encoding.training` makes of an example in plain words.

    Raises:
        UserError: as it does.
    """
    made, key = _made_of(example), (encoding.model.content_hash, encoding.max_length, head)
    if key not in made:
        # As bytes, which take a seventh of the memory: it is charged to the run that makes them, and to none of those after it.
        sequences = encoding.training(task, example, Wording(), 0, head)
        made[key] = marshal.dumps([[getattr(each, name.name) for name in fields(Encoded)] for each in sequences])
    return [Encoded(*values) for values in marshal.loads(made[key])]


@once_per_object
def _made_of(example: Example) -> dict[tuple[str, int, int], bytes]:
    """To be filled, by the hash of a model, the most tokens that it reads, and the head."""
    return {}

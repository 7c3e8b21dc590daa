"""Which parts of a run's seed draw random numbers: a part that draws none gives the same run at every seed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bench.records.outcome import SeedPart
from bench.training.randomness import random_state


class RandomParts:
    """Notes the parts that draw. The order of examples always does, from generators of its own."""

    def __init__(self) -> None:
        self.parts: list[SeedPart] = ["order"]

    @contextmanager
    def of(self, part: SeedPart) -> Iterator[None]:
        """The part draws if the global generators do not stand afterwards where they stood before."""
        before = random_state()
        yield
        after = random_state()
        if not all(torch.equal(before[name], after[name]) for name in before):
            self.parts.append(part)

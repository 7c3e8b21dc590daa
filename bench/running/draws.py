"""Which parts of a run's seed draw random numbers: a part that draws none gives the same run at every seed."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from bench.records.outcome import SeedPart


class Draws:
    """Notes the parts that draw. The order of examples always does, from generators of its own."""

    def __init__(self) -> None:
        self.parts: list[SeedPart] = ["order"]

    @contextmanager
    def of(self, part: SeedPart) -> Iterator[None]:
        """The part draws if the global generators do not stand afterwards where they stood before."""
        before = generator_states()
        yield
        if generator_states() != before:
            self.parts.append(part)


def generator_states() -> list[str]:
    """Of torch on the CPU and on this process's GPU, of numpy and of Python, each as text that can be compared."""
    states = [torch.get_rng_state()]
    if torch.cuda.is_available():
        states.append(torch.cuda.get_rng_state())
    _, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)
    numpys = np.asarray(keys).tobytes().hex(), str((place, has_gauss, gauss))
    return [*(state.numpy().tobytes().hex() for state in states), *numpys, str(random.getstate())]

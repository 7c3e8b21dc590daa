"""Simple text augmentation: words left out at random (one of the four operations of Wei & Zou 2019, "EDA")."""

from collections.abc import Callable, Sequence

import numpy as np

Dropper = Callable[[Sequence[str]], list[int]]
"""Words -> numbers of those that stay, at least one."""


def dropper(share: float, *seed: int) -> Dropper:
    """Leaves each word out with probability `share`; a pure function of the seed and the number of words."""

    def kept(words: Sequence[str]) -> list[int]:
        # A generator that is kept would make the result depend on how often it was asked before.
        draws = np.random.default_rng(seed).random(len(words))
        return [int(i) for i in np.flatnonzero(draws >= share)] or [int(draws.argmax())]  # the one that came nearest to staying

    return kept

"""Intervals: the percentile bootstrap over items (Efron & Tibshirani 1993), paired where two models answered the same items."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000
LEVEL = 0.95

Indices = npt.NDArray[np.int64]


def interval(score: Callable[[Indices], float], items: int, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
    """95 % interval of `score`, which gets the indices of a resample of `items` items.

    A paired interval comes of a score that takes the difference on the same indices.
    """
    generator = np.random.default_rng(seed)
    scores = [score(generator.integers(items, size=items)) for _ in range(resamples)]
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

"""How good the best of k trials can be expected to be, from K trials: were they enough?

The first trial is the strategy's default, which every search begins with; the others are drawn at random from its space. So
the best of k trials is the better of the default's score and the best of k - 1 draws.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from bench.statistics.intervals import CONFIDENCE


class BestOf(NamedTuple):
    """The best validation score of a search of so many trials."""

    trials: int
    expected: float
    """Dodge et al. 2019, "Show Your Work", equation 7, with the default as a floor."""
    low: float
    """Lower bound of the median best: what half of all searches of so many trials reach."""
    high: float | None
    """Upper bound of it; None where the trials bound it by nothing."""


def best_of(first: float, sampled: Sequence[float]) -> list[BestOf]:
    """For k = 1 .. 1 + len(sampled) trials, from the default's score and those of independent random draws, in any order.

    Expected best: with the n draws sorted, V = max(v, first) and m = k - 1,
    sum over i of V_(i) ((i / n)^m - ((i - 1) / n)^m): the mean of the maximum of m draws from the empirical distribution.

    Interval, 95 %: that of the quantile 2^(-1/m) of a draw, which is the median of the best of m draws, by order statistics
    (David & Nagaraja 2003, 7.1): v_(l) to v_(u) with P(Bin(n, p) < l) and P(Bin(n, p) >= u) at most .025 each. It holds
    whatever the distribution. The mean itself has no such interval, and resampling the trials gives none that holds: it knows
    nothing better than the best trial, which is the best of K draws and lies below the mean of that half of the time.

    Scores are such that more is better. A trial without a score counts as -inf: it is as bad as the worst that has one. Of a
    default without one nothing is said by itself.
    """
    known = [score for score in (first, *sampled) if np.isfinite(score)]
    if not known:
        return []
    worst = min(known)
    floor, draws = max(first, worst), np.sort(np.maximum(sampled, worst))
    # The first trial is always the default, so that nothing of its score is left to the draws.
    default = [BestOf(1, first, first, first)] if np.isfinite(first) else []
    return [*default, *(_best_after_draws(floor, draws, m) for m in range(1, len(draws) + 1))]


def _best_after_draws(floor: float, draws: np.ndarray, m: int) -> BestOf:
    """After the default and `m` draws."""
    n = len(draws)
    reached = (np.arange(n + 1) / n) ** m
    expected = float(np.maximum(draws, floor) @ np.diff(reached))
    below, above = _bounding_places(n, 2 ** (-1 / m))
    low = max(floor, float(draws[below - 1])) if below >= 1 else floor
    high = max(floor, float(draws[above - 1])) if above <= n else None
    return BestOf(m + 1, expected, low, high)


@cache
def _bounding_places(n: int, quantile: float) -> tuple[int, int]:
    """Which of n sorted draws bound a quantile, counted from 1; 0 and n + 1 are no draws."""
    from scipy.stats import binom  # half a second that only searches need

    rest = (1 - CONFIDENCE) / 2
    # P(Bin >= u) is the chance above u - 1, which is the place that isf gives.
    return int(binom.ppf(rest, n, quantile)), int(binom.isf(rest, n, quantile)) + 1

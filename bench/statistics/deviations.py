"""How far numbers scatter, with what few of them leave open; and which share each of several independent sources makes.

Normal theory: a variance s^2 of nu + 1 numbers is sigma^2 times a chi-square of nu degrees of freedom over nu.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from bench.statistics.intervals import CONFIDENCE

PIVOTS = 100_000
TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Deviation:
    """A standard deviation with its 95 % interval, which numbers that are all equal don't give."""

    value: float
    low: float | None = None
    high: float | None = None
    freedom: int = 0
    """Of its variance; 0 where it is 0 by construction."""


NO_DEVIATION = Deviation(0.0)


def deviation(values: Sequence[float]) -> Deviation:
    """Of at least two numbers: s sqrt(nu / chi2) at the two quantiles of chi-square."""
    freedom, sd = len(values) - 1, float(np.std(values, ddof=1))
    # Equal numbers can have a deviation that is not quite 0, because their mean is rounded.
    if np.ptp(values) == 0:
        return Deviation(0.0, freedom=freedom)
    low, high = (sd * float(np.sqrt(freedom / chdtri(freedom, tail))) for tail in TAILS)
    return Deviation(sd, low, high, freedom)


@dataclass(frozen=True)
class Share:
    """A source's part of the sum of variances, with its 95 % interval."""

    value: float
    low: float | None = None
    high: float | None = None


def shares(parts: Sequence[Deviation]) -> list[Share]:
    """Of independent sources; none at all where no number scatters, or where those of a source happened to be equal: a part
    that has drawn random numbers moves something, and of how much a tie of a few scores says nothing.

    The intervals are generalized confidence intervals (Weerahandi 1993): what the shares are if each variance is
    nu s^2 / chi2(nu), over draws of chi-square. Of two sources that is the interval of an F test.
    """
    variances = np.array([part.value**2 for part in parts])
    if not variances.sum() or any(part.freedom and not part.value for part in parts):
        return []
    generator = np.random.default_rng(0)  # the same table each time
    drawn = np.stack([_pivots(part, generator) for part in parts], axis=1)
    ends = np.quantile(drawn / drawn.sum(1, keepdims=True), TAILS, axis=0).T
    # A part that is the only one to scatter makes all of it, and one that does not none, whatever is drawn.
    known = [part.value > 0 and (variances > 0).sum() > 1 for part in parts]
    return [
        Share(float(value), *map(float, pair)) if tells else Share(float(value))
        for value, pair, tells in zip(variances / variances.sum(), ends, known, strict=True)
    ]


def _pivots(part: Deviation, generator: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    # A part that is 0 by construction may have no degrees of freedom to draw with.
    chi2 = generator.chisquare(part.freedom, PIVOTS) if part.value else np.ones(PIVOTS)
    return part.freedom * part.value**2 / chi2

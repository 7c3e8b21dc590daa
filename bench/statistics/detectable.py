"""The smallest difference between two rows that a table of so many seeds and items finds four times out of five."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr

from bench.statistics.intervals import CONFIDENCE, Margin

POWER = 0.8
GRID = 200


@dataclass(frozen=True)
class Detectable:
    """`value` is found in 80 of 100 repetitions. It is known no better than the seeds' variance: 80 of 100 tables print one
    whose range, `low` to `high`, holds the truth."""

    value: float
    low: float
    high: float
    floor: float
    """What seeds alone allow: with any number of items, no smaller difference is found so often."""


def detectable(margin: Margin, tests: int = 1, accuracy: float | None = None) -> Detectable:
    """The smallest detectable difference of a pair with this margin, where `tests` pairs are looked at together.

    With `accuracy`, the score that the difference is taken from, the variance over items is that of shares: a lower one varies
    more. Only the bounds' own variation is in it (Holm's first step stands for all).
    """
    level = (1 - CONFIDENCE) / tests
    value = smallest_difference(margin, level, accuracy)
    if not margin.seeds or not margin.seed_freedom:
        return Detectable(value, value, value, 0.0)
    freedom = float(margin.seed_freedom)
    varied = (replace(margin, seeds=margin.seeds * freedom / chdtri(freedom, tail)) for tail in (0.1, 0.9))
    low, high = (smallest_difference(each, level, accuracy) for each in varied)
    return Detectable(value, low, high, smallest_difference(replace(margin, items=0.0), level, accuracy))


def smallest_difference(margin: Margin, level: float, accuracy: float | None) -> float:
    """The difference that is found four times out of five at this level."""

    def missing(difference: float) -> float:
        return _power(difference, _scaled(margin, difference, accuracy), level) - POWER

    most = 10 * float(margin.half_width(level)) + 1e-12
    if accuracy is not None:
        most = min(most, accuracy)
        if missing(most) < 0:
            return most
    return float(brentq(missing, 0.0, most)) if most > 1e-12 else 0.0


def _scaled(margin: Margin, difference: float, accuracy: float | None) -> Margin:
    if accuracy is None or not 0 < accuracy < 1:
        return margin
    other = accuracy - difference
    return replace(margin, items=margin.items * (1 + other * (1 - other) / (accuracy * (1 - accuracy))) / 2)


def _power(difference: float, margin: Margin, level: float) -> float:
    """How often the interval leaves zero out: the mean over what the seeds' variance may be estimated as."""
    spread = np.sqrt(margin.seeds + margin.items)
    if not spread:
        return 1.0
    ratios = chdtri(margin.seed_freedom, (np.arange(GRID) + 0.5) / GRID) / margin.seed_freedom if margin.seeds else np.ones(1)
    halves = replace(margin, seeds=margin.seeds * ratios).half_width(level)
    return float(ndtr((difference - halves) / spread).mean())

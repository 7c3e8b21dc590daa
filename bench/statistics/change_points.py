"""Where the course of a number over time changed by more than noise, of which the width is known.

The mean stays the same between two change points. They are found by PELT with squared distances (Killick et al. 2012), and cost
as much as the largest gain that one change point brings in courses without any, in all but the wished share of them.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from bench.statistics.arrays import Floats
from bench.statistics.power import LEVEL

COURSES = 20_000
"""Simulated ones without a change."""


def change_points(values: Sequence[float], variance: float, freedom: int, courses: int = 1) -> list[int]:
    """The places in the course, from 1 on, at which a new level begins.

    Args:
        variance: of a value, by noise alone.
        freedom: of its estimate; 0: nothing is known of the noise, and nothing is found.
        courses: so many are looked at together (Bonferroni).
    """
    if len(values) < 2 or not freedom:
        return []
    if not variance:
        # By more than another way of adding up moves the last digits.
        return [place for place in range(1, len(values)) if not np.isclose(values[place], values[place - 1], rtol=1e-6)]
    import ruptures  # half a second that only a history needs

    # The penalty is simulated for noise of width 1.
    signal = np.asarray(values, dtype=np.float64) / np.sqrt(variance)
    # By itself it looks at every fifth place alone, and a history of accepted baselines may have five.
    breakpoints = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(signal).predict(pen=penalty(len(values), freedom, courses))
    # The last one is the end of the course.
    return [int(place) for place in breakpoints[:-1]]


@cache
def penalty(length: int, freedom: int, courses: int = 1) -> float:
    """What a change point must gain, in squared widths, so that it is found in a course without one only LEVEL / courses of the
    time."""
    generator = np.random.default_rng(0)
    # One estimate of the noise's width serves a whole course, so that its points are all too far off together.
    drawn = generator.standard_normal((COURSES, length)) / np.sqrt(generator.chisquare(freedom, (COURSES, 1)) / freedom)
    return float(np.quantile(_best_gain(drawn), 1 - LEVEL / courses))


def _best_gain(courses: Floats) -> Floats:
    """How much the best single change point takes off the squared distances from the mean, of each course."""
    length, sums = courses.shape[1], courses.cumsum(1)
    before = np.arange(1, length)
    left, whole = sums[:, :-1], sums[:, -1:]
    gains = left**2 / before + (whole - left) ** 2 / (length - before) - whole**2 / length
    return np.asarray(gains.max(1), dtype=np.float64)

"""Variances that are exactly nothing where rounding alone is left of them: so it is known what varies and what does not."""

import numpy as np

from bench.statistics.arrays import Floats

ROUNDING = 1e-12
"""Of the variances that a difference is made of. One answer of a million that two rows have unlike leaves more."""


def over_seeds(values: Floats) -> Floats:
    """The sample variance, (...), of numbers (..., seeds). The mean of equal numbers may be another one, by rounding."""
    return np.where(np.ptp(values, axis=-1) == 0, 0.0, np.var(values, axis=-1, ddof=1))


def beyond_rounding(difference: float | Floats, variance: float | Floats) -> Floats:
    """A difference of variances about as large as `variance`; 0 where it is negative, which chance and rounding can make it, or
    no more than rounding leaves."""
    return np.where(np.asarray(difference) > ROUNDING * np.asarray(variance), difference, 0.0)

"""Variances that are exactly nothing where rounding alone is left of them: so it is known what varies and what does not."""

from collections.abc import Sequence

import numpy as np
from scipy.special import fdtrc

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


def louder(variances: Sequence[float], freedoms: Sequence[int], level: float) -> dict[int, float]:
    """Places of variances that are larger than all others together by more than chance, with the quotient of the standard
    deviations: F tests, each at `level` by how many there are (Bonferroni).

    Others that do not vary at all are no measure.
    """
    found, squares, freedom = {}, sum(v * f for v, f in zip(variances, freedoms, strict=True)), sum(freedoms)
    for place, (variance, own) in enumerate(zip(variances, freedoms, strict=True)):
        others, rest = freedom - own, squares - variance * own
        if others and rest > ROUNDING * variance * own:
            times = variance / (rest / others)
            if fdtrc(own, others, times) * len(variances) <= level:
                found[place] = float(np.sqrt(times))
    return found

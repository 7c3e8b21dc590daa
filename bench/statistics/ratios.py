"""Ratios of two rows' costs, whose seeds took unlike time and memory."""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from bench.statistics.estimates import Bounds
from bench.statistics.intervals import CONFIDENCE, pooled


def cost_ratio(one: Sequence[float], other: Sequence[float], table: Sequence[Sequence[float]]) -> tuple[float, Bounds | None]:
    """The quotient of two rows' mean costs over seeds, with its 95 % interval; None where no row of the table has two seeds.

    On the logarithm of the means, whose variance is a cost's relative variance over seeds: that of the table's rows, or a
    row's own where it is larger. h^2 = t(nu)^2 (max(B_a, B) / S_a + max(B_b, B) / S_b). The rows' relative SDs are taken as
    alike, and the machine as no busier for one row than for another: what is common to a row's seeds is not in it.
    """
    value = float(np.mean(one) / np.mean(other))
    spread = pooled([(np.asarray(row) / np.mean(row)).tolist() for row in table])
    if not spread.freedom:
        return value, None
    variance = sum(max(_relative(row), float(spread.variance)) / len(row) for row in (one, other))
    half = -float(stdtrit(spread.freedom, (1 - CONFIDENCE) / 2)) * float(np.sqrt(variance))
    return value, (value * float(np.exp(-half)), value * float(np.exp(half)))


def _relative(row: Sequence[float]) -> float:
    """Variance over seeds, in squares of the mean; 0 of one seed."""
    return float(np.var(row, ddof=1) / np.mean(row) ** 2) if len(row) > 1 else 0.0

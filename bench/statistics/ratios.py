"""Ratios of two rows' costs, whose seeds took unlike time and memory."""

from collections.abc import Sequence

import numpy as np

from bench.statistics.estimates import MANY, Bounds, margin_over_seeds
from bench.statistics.intervals import Margin, Spread, pooled


def cost_ratio(one: Sequence[float], other: Sequence[float], table: Sequence[Sequence[float]]) -> tuple[float, Bounds | None]:
    """The quotient of two rows' mean costs over seeds, with its 95 % interval; None where no row of the table has two seeds."""
    logarithm, margin = log_ratio(one, other, table)
    value = float(np.exp(logarithm))
    if margin is None:
        return value, None
    half = float(margin.half_width())
    return value, (value * float(np.exp(-half)), value * float(np.exp(half)))


def log_ratio(one: Sequence[float], other: Sequence[float], table: Sequence[Sequence[float]]) -> tuple[float, Margin | None]:
    """The natural logarithm of the quotient of two rows' mean costs over seeds, and what it varies by.

    The variance of the logarithm of a mean is a cost's relative variance over seeds: that of the table's rows, or a row's own
    where it is larger, max(B_a, B) / S_a + max(B_b, B) / S_b. The rows' relative SDs are taken as alike, and the machine as no
    busier for one row than for another: what is common to a row's seeds is not in it.
    """
    value, spread = float(np.log(np.mean(one) / np.mean(other))), relative_spread(table)
    if not spread.freedom:
        return value, None
    variance = sum(log_variance(row, spread) for row in (one, other))
    # A cost is of a whole run and made of no items, so that only seeds move it.
    return value, Margin(variance, spread.freedom, 0.0, MANY)


def relative_spread(table: Sequence[Sequence[float]]) -> Spread:
    """How far a seed moves the costs of a table's rows, in squares of their means."""
    return pooled([(np.asarray(row) / np.mean(row)).tolist() for row in table])


def log_variance(row: Sequence[float], spread: Spread) -> float:
    """Of the logarithm of a row's mean cost over seeds; 0 where no row of the table has two."""
    return max(_relative_variance(row), float(spread.variance)) / len(row) if spread.freedom else 0.0


def log_ratio_by_seed(logarithms: Sequence[float], table: Sequence[Sequence[float]]) -> tuple[float, Margin | None]:
    """The same where both rows have the same seeds, which drew the same examples: from the logarithm of each seed's quotient,
    whose variance is that of the table's rows, or the row's own where it is larger. Work that is the same in each seed varies
    by nothing."""
    return float(np.mean(logarithms)), margin_over_seeds(logarithms, table)


def _relative_variance(row: Sequence[float]) -> float:
    """Variance over seeds, in squares of the mean; 0 of one seed."""
    return float(np.var(row, ddof=1) / np.mean(row) ** 2) if len(row) > 1 else 0.0

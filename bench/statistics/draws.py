"""Numbers of a table's rows as they might have been with other items and seeds, and how often a row is then unbeaten."""

from collections.abc import Sequence

import numpy as np

from bench.statistics.arrays import Floats
from bench.statistics.comparison import paired
from bench.statistics.estimates import MANY, Estimate
from bench.statistics.intervals import Z, of_row


def redrawn(rows: Sequence[Estimate], draws: int, generator: np.random.Generator) -> Floats:
    """(draws, rows): a parametric bootstrap of one column.

    Over items the rows' means move together, normally with the jackknife's covariances (rows that did not answer the same items
    move apart); over seeds each by itself, by Student's distribution of its interval. A row without an interval does not move.
    """
    samples = np.tile([row.value for row in rows], (draws, 1)).astype(np.float64)
    together = np.zeros((len(rows), len(rows)))
    for one, row in enumerate(rows):
        if row.answered is None:
            if row.low is not None and row.high is not None:
                # A row without answers shares no items that are known, so that it moves by itself.
                together[one, one] = ((row.high - row.low) / 2 / Z) ** 2
            continue
        margin = of_row(row.answered, row.spread)
        together[one, one] = float(margin.items)
        if margin.seeds:
            freedom = min(float(margin.seed_freedom), MANY)
            # Each row is trained anew, so that nothing of its seeds is shared with another row.
            samples[:, one] += np.sqrt(margin.seeds) * generator.standard_t(freedom, draws)
        for other in range(one):
            if paired(row, rows[other]):
                second = rows[other].answered
                assert second is not None  # they are paired
                together[one, other] = together[other, one] = float(row.answered.items_covariance(second))
    # Covariances of means over few seeds may be more than their variances allow: what is negative is cut.
    values, vectors = np.linalg.eigh(together)
    return samples + (generator.standard_normal((draws, len(rows))) * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def unbeaten_share(gains: Floats, prices: Floats) -> Floats:
    """(rows,): in what share of the draws, (draws, rows), no other row gains at least as much for at most the same price, and
    is better in one of the two (Pareto)."""
    as_good = (gains[:, None, :] >= gains[:, :, None]) & (prices[:, None, :] <= prices[:, :, None])
    better = (gains[:, None, :] > gains[:, :, None]) | (prices[:, None, :] < prices[:, :, None])
    return np.asarray(1 - (as_good & better).any(-1).mean(0), dtype=np.float64)

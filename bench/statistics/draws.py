"""Numbers of a table's rows as they might have been with other items and seeds, and how often a row is then unbeaten."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.statistics.arrays import Floats
from bench.statistics.comparison import paired
from bench.statistics.estimates import MANY, Estimate
from bench.statistics.intervals import Z, of_row
from bench.statistics.ratios import log_variance, relative_spread
from bench.statistics.variances import beyond_rounding

DRAWS = 1_000
"""Tables that a share is counted in."""
NEAR = 1e-12
"""Numbers that are no farther apart, relative to their size above 1, are level: the same answers may add up to another last
digit."""


def redrawn(rows: Sequence[Estimate], draws: int, generator: np.random.Generator) -> Floats:
    """(draws, rows): a parametric bootstrap of one column.

    Over items each row's mean moves normally with its own variance, and rows move together as the jackknife's correlations say
    (rows that did not answer the same items move apart); over seeds each by itself, by Student's distribution of its interval.
    A row without an interval does not move.
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
    return samples + generator.standard_normal((draws, len(rows))) @ _covariance_root(together)


def redrawn_costs(rows: Sequence[Sequence[float]], draws: int, generator: np.random.Generator) -> Floats:
    """(draws, rows): mean costs of rows, each over its seeds, as they might have been with other seeds.

    The logarithm of each moves by Student's distribution, as that of a quotient of two costs does (`ratios.log_ratio`). What is
    counted, and so the same with each seed, does not move.
    """
    spread, samples = relative_spread(rows), np.tile([float(np.mean(row)) for row in rows], (draws, 1))
    for place, row in enumerate(rows):
        if (variance := log_variance(row, spread)) > NEAR**2:
            samples[:, place] *= np.exp(np.sqrt(variance) * generator.standard_t(spread.freedom, draws))
    return samples


def _covariance_root(covariances: Floats) -> Floats:
    """(rows, rows): of independent normal numbers in its rows, what moves each of the table's rows, in its columns."""
    spreads = np.sqrt(np.diag(covariances))
    varies = spreads > 0
    # A perplexity of a thousand beside one of ten would leave nothing but rounding of the smaller one.
    scale = np.where(varies, spreads, 1.0)
    alike = np.where(np.outer(varies, varies), np.clip(covariances / np.outer(scale, scale), -1.0, 1.0), 0.0)
    # Covariances of means over few seeds may be more than their variances allow: what is negative is cut.
    values, vectors = np.linalg.eigh(alike)
    # Of a matrix there is one symmetric root, whereas axes of equal values are whatever the last digits make them.
    root = (vectors * np.sqrt(beyond_rounding(values, values.max(initial=0.0)))) @ vectors.T
    # The cut leaves a row more than its own variance.
    lengths = np.linalg.norm(root, axis=0)
    return np.asarray(root / np.where(lengths > 0, lengths, 1.0) * spreads)


def beaten(gains: Floats, prices: Floats) -> npt.NDArray[np.bool_]:
    """(draws, rows): whether some other row gains at least as much for at most the same price, and is better in one of the two
    (Pareto)."""
    near, close = (NEAR * np.maximum(np.abs(numbers), 1.0) for numbers in (gains, prices))
    as_good = (gains[:, None, :] >= (gains - near)[:, :, None]) & (prices[:, None, :] <= (prices + close)[:, :, None])
    better = (gains[:, None, :] > (gains + near)[:, :, None]) | (prices[:, None, :] < (prices - close)[:, :, None])
    return np.asarray((as_good & better).any(-1))


def unbeaten_share(gains: Floats, prices: Floats) -> Floats:
    """(rows,): in what share of the draws, (draws, rows), no other row beats it."""
    return np.asarray(1 - beaten(gains, prices).mean(0), dtype=np.float64)

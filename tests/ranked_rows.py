"""Rows of drawn answers, as the engine and as the audit hold them."""

import numpy as np
import pandas as pd

from bench.statistics.comparison import pairs
from bench.statistics.estimates import estimate
from bench.statistics.jackknife import clusters_of, of_counts
from reports.audit.leaving_out import SeedVariance, of_mean
from reports.audit.ranks import Rival
from reports.rows.standing import _smallest_detectable

NO_SEEDS = SeedVariance()


def rival(values, seeds=NO_SEEDS, asked="same"):
    """A row whose runs, one per seed, got these values on the same items."""
    items = pd.DataFrame({"item": range(len(values[0]))})
    return Rival([of_mean(items, run, [1.0] * len(run), "number") for run in values], seeds, asked)


def estimates_and_rivals(values_by_row, spreads, scale="plain"):
    """The engine's estimates and the audit's rivals of the same numbers, (seeds, items) of each row."""
    clusters = clusters_of(None, len(values_by_row[0][0]))
    estimates, rivals = [], {}
    for name, (values, spread) in enumerate(zip(values_by_row, spreads, strict=True)):
        counts = np.stack([np.asarray(values), np.ones_like(values)], axis=-1)
        answered = of_counts(counts, lambda sums: sums[..., 0] / sums[..., 1], clusters)
        estimates.append(estimate(list(answered.values), [None] * len(values), answered, spread, scale))
        rivals[str(name)] = rival(list(values), SeedVariance(float(spread.variance), spread.freedom))
    return estimates, rivals


def engine_and_audit(values_by_row, spreads, scale):
    """The engine's smallest detectable difference of rows that all vary alike, and the audit's rivals."""
    estimates, rivals = estimates_and_rivals(values_by_row, spreads, scale)
    return _smallest_detectable(range(len(estimates)), estimates, pairs(estimates)), rivals

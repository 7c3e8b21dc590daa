"""A probe's number as jackknifed scores, by what the number is: the mean of its items' values, or an order of them."""

import numpy as np

from bench.statistics.arrays import Floats, Indices
from bench.statistics.jackknife import Clusters, Jackknifed, of_auc, of_counts, of_scores

AUC = "ROC AUC"
RANKED = "Spearman correlation"
RANKINGS = (AUC, RANKED)
"""Names of the numbers that need a gold value per item; all others are weighted means."""


def of_probe(measure: str, values: Floats, weights: Floats, gold: Floats | None, clusters: Clusters) -> Jackknifed:
    """Scores of a probe whose number has that name, from its values, (seeds, items), and weights and gold, (items,).

    The difference of two, before and after training, is what was lost; `of_one_model` makes its interval.
    """
    if measure in RANKINGS:
        assert gold is not None  # rankings have it
        return of_auc(values, gold == 1, clusters) if measure == AUC else _jackknifed_correlations(values, gold, clusters)
    # Weights are the items' own, such as a passage's tokens, and no seed's.
    weights = np.broadcast_to(weights, values.shape)
    counts = np.stack([values * weights, weights], axis=-1)
    return of_counts(counts, weighted_mean, clusters, weights)


def of_shares(right: Floats, clusters: Clusters) -> Jackknifed:
    """Accuracy, from whether each item was answered rightly, (seeds, items)."""
    return of_counts(np.stack([right, np.ones_like(right)], axis=-1), weighted_mean, clusters)


def weighted_mean(totals: Floats) -> Floats:
    """Sums of weighted values and of weights, (..., 2), as means, (...)."""
    weights = totals[..., 1]
    # Only one item with a weight: without it there is nothing left to average.
    mean: Floats = np.divide(totals[..., 0], weights, out=np.zeros_like(weights), where=weights != 0)
    return mean


def _jackknifed_correlations(values: Floats, gold: Floats, clusters: Clusters) -> Jackknifed:
    from scipy.stats import spearmanr  # half a second that only graded pairs need

    def correlations(items: Indices) -> list[float]:
        return [float(spearmanr(gold[items], row[items]).statistic) for row in values]

    return of_scores(correlations, clusters)

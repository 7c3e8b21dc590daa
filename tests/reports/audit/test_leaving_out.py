"""Intervals in plain loops against the engine's vectors, over items, clusters and seeds, and against scipy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import sem, t

from bench.statistics.estimates import estimate
from bench.statistics.intervals import NO_SPREAD, Spread, of_one_model
from bench.statistics.jackknife import clusters_of, of_auc, of_counts
from bench.statistics.probed import of_probe, of_shares
from reports.audit.leaving_out import LeftOut, SeedVariance, bounds, bounds_of_bounds, of_mean, of_ranking, of_score


def items(count, clusters=None, seed=0):
    """A table of items, some of which belong to a cluster with a name."""
    if clusters is None:
        return pd.DataFrame({"item": range(count)})
    drawn = np.random.default_rng(seed).integers(0, clusters, count)
    names = [None if code == 0 else f"film {code}" for code in drawn]
    return pd.DataFrame({"item": range(count), "cluster": pd.Series(names, dtype=object)})


def jackknifed(table, rights):
    """The engine's view of the same seeds' right answers."""
    clusters = clusters_of(table["cluster"].tolist() if "cluster" in table else None, len(table))
    return of_shares(np.array(rights, dtype=float), clusters)


def test_the_mean_of_values_is_students_interval():
    values = np.random.default_rng(1).normal(2, 3, 40).tolist()
    low, high = bounds([of_mean(items(40), values, [1.0] * 40, "number")])
    assert (low, high) == pytest.approx(t.interval(0.95, 39, np.mean(values), sem(values)), rel=1e-12)


@given(
    rights=st.lists(st.lists(st.booleans(), min_size=30, max_size=30), min_size=1, max_size=3),
    clusters=st.sampled_from([None, 3, 12]),
    variance=st.sampled_from([0.0, 1e-4, 0.01]),
)
@settings(max_examples=60, deadline=None)
def test_shares_over_seeds_and_clusters_are_the_engines(rights, clusters, variance):
    table = items(30, clusters)
    seeds, spread = (SeedVariance(variance, 4), Spread(variance, 4)) if variance else (SeedVariance(), NO_SPREAD)
    left = [of_mean(table, [float(x) for x in each], [1.0] * 30, "mean of shares") for each in rights]
    answered = jackknifed(table, rights)
    engine = estimate(answered.values.tolist(), [None] * len(rights), answered, spread, "wilson")
    assert bounds(left, seeds) == pytest.approx((engine.low, engine.high), abs=1e-12)


@pytest.mark.parametrize("clusters", [None, 20])
def test_a_ranking_is_the_engines(clusters):
    table, drawn = items(60, clusters), np.random.default_rng(4)
    gold, new, old = drawn.integers(0, 2, 60), drawn.normal(size=60).round(1), drawn.normal(size=60).round(1)
    codes = clusters_of(table["cluster"].tolist() if clusters else None, 60)
    engine = of_one_model(of_auc(new[None], gold == 1, codes) - of_auc(old[None], gold == 1, codes))
    mine = [of_ranking(table, values.tolist(), gold.tolist()) for values in (new, old)]
    assert bounds([mine[0].minus(mine[1])]) == pytest.approx(engine, rel=1e-12)


def test_a_ranking_with_one_item_of_a_class_says_nothing_of_other_items():
    assert of_ranking(items(3), [0.1, 0.2, 0.3], [1, 0, 0]) is None


def test_a_weighted_mean_and_a_correlation_are_the_engines():
    table, drawn = items(40, 15), np.random.default_rng(2)
    values, weights, codes = drawn.normal(size=40), drawn.uniform(1, 9, 40), clusters_of(table["cluster"].tolist(), 40)
    engine = of_one_model(of_probe("loss", values[None], weights, None, codes))
    assert bounds([of_mean(table, values.tolist(), weights.tolist(), "number")]) == pytest.approx(engine, rel=1e-12)

    def mean(left):
        return float(values[left].mean())

    even = of_one_model(of_counts(np.stack([values, np.ones(40)], -1)[None], lambda sums: sums[..., 0] / sums[..., 1], codes))
    assert bounds([of_score(table, mean)]) == pytest.approx(even, rel=1e-12)


def test_without_answers_the_runs_own_bounds_stand_for_items():
    runs = [LeftOut(value, [value - 0.01, value + 0.01], 1.0) for value in (0.5, 0.6)]
    known = [bounds([run]) for run in runs]
    engine = estimate([0.5, 0.6], known, None, Spread(0.001, 5))
    assert bounds_of_bounds(runs, SeedVariance(0.001, 5)) == pytest.approx((engine.low, engine.high), rel=1e-12)

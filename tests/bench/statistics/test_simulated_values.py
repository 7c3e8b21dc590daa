"""Tables drawn in the likeness of values vary as the real ones do, and their truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from bench.statistics.drawn_values import WeightedMean
from bench.statistics.jackknife import clusters_of
from bench.statistics.likeness import Tables
from bench.statistics.probed import weighted_mean
from bench.statistics.simulated_values import likeness_of_values


def drawn_rows(found, tables: int, seeds: int | None = None):
    generator = np.random.default_rng(0)
    made = Tables(found, seeds or found.seeds)
    return [made.draw(1, generator).rows for _ in range(tables)]


def test_rankings_vary_over_seeds_and_items_as_the_table_s_do(ranked):
    values, number, clusters = ranked(3, 6, 800)
    found = likeness_of_values(values, number, clusters)
    real = number.jackknifed(values[None], np.arange(800)[None], clusters)
    assert found.truths == pytest.approx(real.values[0].mean(-1), abs=0.01) and found.lowest == 0 and found.highest == 1
    drawn = drawn_rows(found, 40)
    assert np.mean([each.values.mean((0, 2)) for each in drawn], 0) == pytest.approx(found.truths, abs=0.01)
    seeds = real.values[0].var(-1, ddof=1).mean()
    assert found.sd**2 + found.own.mean() / 800 == pytest.approx(seeds)
    assert np.mean([each.values.var(-1, ddof=1).mean() for each in drawn]) == pytest.approx(seeds, rel=0.25)
    assert np.mean([each.items_variance for each in drawn], 0).mean() == pytest.approx(real.items_variance.mean(), rel=0.1)
    between = real.row(0).items_covariance(real.row(1)).item()
    assert np.mean([each.row(0).items_covariance(each.row(1)) for each in drawn]) == pytest.approx(between, rel=0.15)
    assert found.untouched == number.jackknifed(number.base[None, None, None], np.arange(800)[None], clusters).values.item()


def test_a_scale_of_a_seed_s_own_moves_no_ranking(ranked):
    """Planted fault: of raw similarities, own answers of seeds would vary half as far again."""
    values, number, clusters = ranked(2, 8, 800, sigma=0.0)
    found = likeness_of_values(values, number, clusters)
    own = np.mean([each.values.var(-1, ddof=1).mean() for each in drawn_rows(replace(found, sd=0.0), 40)])
    assert own == pytest.approx(found.own.mean() / 800, rel=0.2)


def test_rows_of_rankings_can_be_shifted(ranked):
    found = replace(likeness_of_values(*ranked(3, 2, 300)), sd=0.03)
    equal = found.of([0, 1, 1], [0.7, 0.7, 0.6])
    assert equal.truths == pytest.approx([0.7, 0.7, 0.6], abs=1e-4) and equal.rows == 3 and equal.share(0.7) is None
    drawn = drawn_rows(equal, 200, seeds=3)
    assert np.mean([each.values.mean((0, 2)) for each in drawn], 0) == pytest.approx([0.7, 0.7, 0.6], abs=0.006)


def test_whole_clusters_of_rankings_are_redrawn(ranked):
    found = likeness_of_values(*ranked(2, 2, 400, clusters=40))
    drawn = Tables(found, 2).draw(1, np.random.default_rng(0))
    assert drawn.rows.shifts.shape == (1, 2, 2, 40) and drawn.base.shifts.shape == (1, 1, 1, 40)
    assert 20 < found.effective_clusters < 40


def test_losses_vary_over_seeds_and_items_as_the_table_s_do(lost):
    values, base, tokens = lost(3, 6, 800)
    number, clusters = WeightedMean(base, tokens, weighted_mean), clusters_of(None, 800)
    found = likeness_of_values(values, number, clusters)
    real = number.jackknifed(values[None], np.arange(800)[None], clusters)
    assert found.truths == pytest.approx(real.values[0].mean(-1), rel=1e-4) and found.scale == "plain"
    drawn = Tables(found, 6).draw(60, np.random.default_rng(0)).rows
    assert drawn.values.var(-1, ddof=1).mean() == pytest.approx(real.values[0].var(-1, ddof=1).mean(), rel=0.2)
    assert drawn.items_variance.mean() == pytest.approx(real.items_variance.mean(), rel=0.1)
    assert found.of([0, 2], [3.0, 2.9]).truths == pytest.approx([3.0, 2.9])
    assert (found.lowest, found.highest) == (-np.inf, np.inf)


def test_truth_of_perplexity_is_the_mean_over_seeds(lost):
    values, base, tokens = lost(2, 3, 200)
    number = WeightedMean(base, tokens, lambda totals: np.exp(weighted_mean(totals)), 0.0)
    found = replace(likeness_of_values(values, number, clusters_of(None, 200)), sd=3.0)
    drawn = Tables(found, 20).draw(400, np.random.default_rng(0)).rows
    assert drawn.values.std(-1).mean() == pytest.approx(3.0, rel=0.05)
    assert drawn.values.mean((0, 2)) == pytest.approx(found.truths, rel=0.01)
    assert (found.truths > [of(np.zeros(1)).item() * 1.005 for of in found.by_shift]).all() and found.lowest == 0


def test_rows_that_always_answer_alike(ranked):
    """Nothing varies over seeds, and rows answer alike."""
    values, number, clusters = ranked(1, 1, 60)
    found = likeness_of_values(np.repeat(np.repeat(values, 2, 0), 2, 1), number, clusters)
    assert found.sd == 0 and found.own == pytest.approx([0, 0])
    assert np.isfinite(Tables(found, 2).draw(1, np.random.default_rng(0)).rows.values).all()

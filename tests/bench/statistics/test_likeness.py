"""Simulated tables redraw items, or whole clusters of them, and make seeds up."""

from dataclasses import replace

import numpy as np
import pytest

from bench.statistics.likeness import NODES, Tables, sigma_of_seeds
from bench.statistics.simulated import likeness


def test_whole_clusters_are_redrawn(answered):
    right, base, clusters = answered(2, 2, 400, clusters=40)
    tables = Tables(likeness(right, base, clusters), 2)
    drawn = tables.draw(1, np.random.default_rng(0))
    assert tables.size == 1 and drawn.rows.shifts.shape[-1] == 40
    sizes = np.bincount(drawn.rows.clusters.codes)
    assert set(sizes) <= set(np.bincount(clusters.codes)) and 20 < drawn.rows.clusters.effective < 40


def test_items_can_be_more_or_fewer(answered):
    found = likeness(*answered(2, 2, 300))
    drawn = Tables(found, 2, items=1200).draw(2, np.random.default_rng(0))
    assert drawn.rows.shifts.shape[-1] == 1200


def test_redrawing_the_few_real_seeds_would_keep_half_of_their_variance():
    """Why seeds are made up: of two seeds, redrawn, the variance is half of what it was."""
    generator = np.random.default_rng(0)
    real = generator.standard_normal((4000, 2))
    redrawn = np.take_along_axis(real, generator.integers(2, size=(4000, 2)), axis=1)
    assert redrawn.var(-1, ddof=1).mean() == pytest.approx(0.5 * real.var(-1, ddof=1).mean(), rel=0.05)


def test_sigma_is_such_that_scores_vary_so_far():
    assert sigma_of_seeds(lambda sigma: 3 * sigma * NODES, 0.6, 5.0) == pytest.approx(0.2)
    assert sigma_of_seeds(lambda sigma: 3 * sigma * NODES, 0.0, 5.0) == 0
    # A score that is 0 or 1 varies by no more than a half.
    assert sigma_of_seeds(lambda sigma: (sigma * NODES > 0).astype(float), 0.7, 5.0) == 5.0


def test_differences_are_told_in_their_unit(answered):
    of = likeness(*answered(2, 2, 50))
    assert of.in_words(0.0812) == "8.1 points" and of.in_words(0.05, 0.06) == "5.0 to 6.0 points"
    assert replace(of, unit="nats per token").in_words(0.0121) == "0.012 nats per token"

"""Answers of a probit model, whose truth is known."""

import numpy as np
import pytest

from bench.statistics.jackknife import clusters_of

SHARED, OF_ROW, OWN = 0.45, 0.2, 0.35


def _answered(rows: int, seeds: int, items: int, sigma: float = 0.1, seed: int = 0, clusters: int = 0):
    """Right answers of a probit model, (rows, seeds, items), the base's, and the clusters."""
    generator = np.random.default_rng(seed)
    film = generator.integers(clusters, size=items) if clusters else None
    shared = generator.standard_normal(items)
    if film is not None:
        shared = np.sqrt(0.5) * (shared + generator.standard_normal(clusters)[film])
    hard = np.sqrt(SHARED) * shared + np.sqrt(OF_ROW) * generator.standard_normal((rows, 1, items))
    x = 1.0 + sigma * generator.standard_normal((rows, seeds, 1))
    right = x > hard + np.sqrt(OWN) * generator.standard_normal((rows, seeds, items))
    base = np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * generator.standard_normal(items) < 0.5
    return right.astype(float), base.astype(float), clusters_of(None if film is None else film.tolist(), items)


@pytest.fixture
def answered():
    """The maker above; fixtures need no package to be imported from."""
    return _answered

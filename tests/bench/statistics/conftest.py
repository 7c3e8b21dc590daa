"""Answers of a probit model, whose truth is known: right and wrong ones, and entities with their false alarms."""

import numpy as np
import pytest

from bench.statistics.drawn_scores import scoring_of_sums
from bench.statistics.drawn_values import RankedPairs
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


def _f1(totals):
    """Of hits, predicted and gold, (..., 3)."""
    return 2 * totals[..., 0] / np.maximum(totals[..., 1] + totals[..., 2], 1)


def _held(counts):
    """The entities of both sides, by which an item's part of F1 is expected to vary."""
    return counts[..., 1] + counts[..., 2]


def _entities(rows: int, seeds: int, items: int, sigma: float = 0.06, seed: int = 0, clusters: int = 0, ability: float = 0.4):
    """What answers count for entity F1, (rows, seeds, items, 3), how others are drawn, and the clusters. Of the entities that
    are missed two in five are there with a wrong border, and some items tempt to false alarms."""
    generator = np.random.default_rng(seed)
    film = generator.integers(clusters, size=items) if clusters else None
    gold = generator.poisson(1.3, items)
    most = gold.max()
    item = generator.standard_normal((items, 1))
    if film is not None:
        item = np.sqrt(0.5) * (item + generator.standard_normal((clusters, 1))[film])
    shared = np.sqrt(0.2) * item + np.sqrt(0.25) * generator.standard_normal((items, most))
    tempting = generator.exponential(size=items)

    def counted(rows: int, seeds: int, ability: float, sigma: float):
        each = (rows, seeds, items, most)
        x = ability + sigma * generator.standard_normal((rows, seeds, 1, 1))
        hard = shared + np.sqrt(0.2) * generator.standard_normal((rows, 1, items, most))
        own = np.sqrt(0.1) * generator.standard_normal((rows, seeds, items, 1)) + 0.5 * generator.standard_normal(each)
        true = np.arange(most) < gold[:, None]
        found = (x > hard + own) & true
        false = (~found & true & (generator.random(each) < 0.4)).sum(-1)
        false += generator.poisson(0.25 * tempting * np.exp(ability - x[..., 0]))
        hits = found.sum(-1)
        return np.stack(np.broadcast_arrays(hits, hits + false, gold), axis=-1).astype(float)

    counts, base = counted(rows, seeds, ability, sigma), counted(1, 1, ability - 0.8, 0.0)[0, 0]
    empty, perfect = (np.stack([found, found, gold], axis=-1).astype(float) for found in (0 * gold, gold))
    scoring = scoring_of_sums(counts.reshape(-1, items, 3), base, empty, perfect, _f1, _held)
    return counts, scoring, clusters_of(None if film is None else film.tolist(), items)


@pytest.fixture
def entities():
    """The maker above, of sums over items."""
    return _entities


def _ranked(rows: int, seeds: int, items: int, sigma: float = 0.2, seed: int = 0, clusters: int = 0, level: float = 1.2):
    """Values by which two pairs of three are to be ranked above the third, (rows, seeds, items), how such are drawn, and the
    clusters. A seed has a scale of its own, as a training that draws all similarities together."""
    generator = np.random.default_rng(seed)
    film = generator.integers(clusters, size=items) if clusters else None
    positive = (generator.permutation(items) < 2 * items // 3).astype(int)
    shared = generator.standard_normal(items)
    if film is not None:
        shared = np.sqrt(0.5) * (shared + generator.standard_normal(clusters)[film])
    hard = np.sqrt(SHARED) * shared + np.sqrt(OF_ROW) * generator.standard_normal((rows, 1, items))
    x = level + sigma * generator.standard_normal((rows, seeds, 1))
    values = x * positive - hard - np.sqrt(OWN) * generator.standard_normal((rows, seeds, items))
    values = 0.5 + 0.1 * values * generator.uniform(0.2, 1, (rows, seeds, 1))
    base = 0.8 * level * positive - np.sqrt(SHARED) * shared - np.sqrt(1 - SHARED) * generator.standard_normal(items)
    return values, RankedPairs(base, positive), clusters_of(None if film is None else film.tolist(), items)


@pytest.fixture
def ranked():
    """The maker above, of pairs that are ranked."""
    return _ranked


def _lost(rows: int, seeds: int, items: int, sigma: float = 0.02, seed: int = 0):
    """Nats per token of texts of unlike length, (rows, seeds, items), the untouched model's, and their tokens."""
    generator = np.random.default_rng(seed)
    tokens = np.round(np.exp(generator.normal(4.5, 0.5, items)))
    shared = 3 + 0.5 * generator.standard_normal(items)
    of_row = (
        shared + 0.1 + 0.05 * generator.standard_normal((rows, 1, items)) + sigma * generator.standard_normal((rows, seeds, 1))
    )
    return of_row + 0.04 * generator.standard_normal((rows, seeds, items)), shared, tokens


@pytest.fixture
def lost():
    """The maker above, of losses in nats."""
    return _lost

"""Tables in the likeness of a real one: its items redrawn, and seeds made up.

What is real: which items are hard for which rows, how far rows and seeds agree on an item, which items belong together, and how
far the seeds' scores vary. What is a model: a row answers item i rightly with a probability p_ki, and a new seed of standard
normal u shifts it on the probit scale, Phi(a_ki + sigma_k u), independently from row to row. sigma_k is such that the score of
endless items varies over seeds as the table's does, and a_ki such that the mean over seeds stays p_ki. The few real seeds are
never redrawn: that would keep only (S - 1) / S of their variance. Nothing is said of seeds that are far from normal.

Two or three seeds say 0, 1/2 or 1 of an item, which is p_ki and chance. So each item's shares are drawn together linearly as
little as leaves rows the covariances over items that they have without that chance (the map of optimal transport between two
normal distributions).

A graded answer, as of SQuAD's F1, has a value from 0 to 1, which p_ki is the mean of. Its seeds differ by less than right and
wrong do. So a part of the value stays at the item's mean for that seed, and the rest is all or nothing; the part is such that
answers vary over seeds as far as the table's do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from bench.statistics.arrays import Floats, Indices
from bench.statistics.intervals import Spread
from bench.statistics.jackknife import Clusters, Jackknifed, of_counts

LEAST_CHANCE = 1e-4
"""No answer is more certain than this."""
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
# They come adding up to the root of 2 pi.
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True)
class Likeness:
    """What tables are drawn from."""

    chances: Floats
    """(rows, items): of a right answer, over seeds; the mean of a graded one."""
    base: Floats
    """(items,): 1 where the untouched model is right; the value of a graded answer."""
    sd: float
    """Of a row's score over seeds, on endless items."""
    seeds: int
    clusters: Clusters
    part: float = 1.0
    """Of an answer's value, what is all or nothing: 1 where answers are right or wrong."""
    family: int | None = None
    """Pairs that the real table looks at together; None: all pairs of these rows, which may be fewer."""
    printed: float | None = None
    """The smallest detectable difference that the real table prints; None where it is of another number of seeds, or of other
    rows, or where seeds can't be drawn to vary as little as the table's did by chance."""

    @property
    def truths(self) -> Floats:
        """Each row's mean score over endless seeds and items."""
        return self.chances.mean(-1)

    @property
    def own(self) -> Floats:
        """(rows,): the variance over seeds of an answer to one item, the mean over items."""
        return self.part**2 * (self.chances * (1 - self.chances)).mean(-1)

    def share(self, score: float) -> float | None:
        """The score where it is a share of right answers, of which alone it is known how it varies at another score."""
        return score if self.part == 1 else None

    def of(self, rows: Sequence[int], scores: Sequence[float] | None = None) -> "Likeness":
        """These of the rows, any of them as often as wished; with `scores`, shifted until they have these means."""
        chances = self.chances[list(rows)]
        if scores is not None:
            chances = np.stack([_shifted_chances(row, score) for row, score in zip(chances, scores, strict=True)])
        return replace(self, chances=chances)


def likeness(right: Floats, base: Floats, clusters: Clusters) -> Likeness:
    """Of a table's answers, (rows, seeds, items) of 1 where they are right or of values up to 1, with at least two seeds."""
    seeds, items = right.shape[1:]
    shares = right.mean(1)
    # The unbiased chance of a seed's own answer, of which the mean over seeds has a part.
    own = right.var(1, ddof=1).mean(-1)
    # Scores on these items vary by each seed's own answers too, of which endless items would leave nothing.
    variance = float(right.mean(-1).var(-1, ddof=1).mean() - own.mean() / items)
    chances = _without_chance(shares, own / seeds)
    whole = Likeness(chances, base, float(np.sqrt(max(variance, 0.0))), seeds, clusters)
    return whole if np.isin(right, (0, 1)).all() else replace(whole, part=_part(float(own.mean()), whole))


def _part(own: float, of: Likeness) -> float:
    """The part with which answers vary over seeds as they do, at most all of it."""
    return float(np.sqrt(min(own / of.own.mean(), 1.0)))


def _without_chance(shares: Floats, chance: Floats) -> Floats:
    centre = shares.mean(-1, keepdims=True)
    covariance = np.atleast_2d(np.cov(shares, bias=True))
    root = _symmetric_root(covariance - np.diag(chance))
    # Rows that answer nearly alike leave the matrix without an inverse.
    drawn = root @ np.linalg.pinv(_symmetric_root(root @ covariance @ root), hermitian=True, rcond=1e-9) @ root
    # The probit of 0 or 1 has no end.
    return np.clip(centre + drawn @ (shares - centre), LEAST_CHANCE, 1 - LEAST_CHANCE)


def _symmetric_root(matrix: Floats) -> Floats:
    """Of a symmetric matrix, what is negative in it by chance left out."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _shifted_chances(chances: Floats, score: float) -> Floats:
    places = ndtri(chances)
    # A shift by twelve takes any chance that is let in from one end to the other.
    return ndtr(places + float(brentq(lambda by: ndtr(places + by).mean() - score, -12.0, 12.0)))


def _sigma(chances: Floats, sd: float) -> float:
    """The sigma with which the mean over these items varies so far over seeds; as large as it can be where none does."""
    places = ndtri(chances)

    def excess(sigma: float) -> float:
        # The root keeps each item's mean over seeds where it was.
        scores = ndtr(places * np.sqrt(1 + sigma**2) + sigma * NODES[:, None]).mean(-1)
        return float(np.sqrt(max(WEIGHTS @ scores**2 - (WEIGHTS @ scores) ** 2, 0.0)) - sd)

    most = 5.0
    return most if excess(most) < 0 else float(brentq(excess, 0.0, most)) if sd else 0.0


@dataclass(frozen=True)
class DrawnTables:
    """Simulated tables: rows, (tables, rows, seeds), and the untouched model, (tables, 1, 1), on the same items."""

    rows: Jackknifed
    base: Jackknifed

    @property
    def spread(self) -> Spread:
        """Of each table."""
        rows, seeds = self.rows.values.shape[-2:]
        return Spread(self.rows.values.var(-1, ddof=1).mean(-1), rows * (seeds - 1))

    def row(self, index: int) -> Jackknifed:
        return replace(self.rows, values=self.rows.values[:, index], shifts=self.rows.shifts[:, index])


class Tables:
    """Draws tables of so many seeds and items, whole clusters of them where the likeness has such."""

    def __init__(self, of: Likeness, seeds: int, items: int | None = None) -> None:
        self.of, self.seeds, self.items = of, seeds, items or of.chances.shape[-1]
        self.sigmas = np.array([_sigma(row, of.sd) for row in of.chances])
        self.places = (ndtri(of.chances) * np.sqrt(1 + self.sigmas[:, None] ** 2)).astype(np.float32)
        codes = of.clusters.codes
        self.members = None if of.clusters.single else [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]

    @property
    def size(self) -> int:
        """Tables that are drawn at once: a million answers, or one table of clusters."""
        # Tables of redrawn clusters have unlike numbers of items, and stand in no common array.
        return 1 if self.members else max(1, 1_000_000 // (len(self.places) * self.seeds * self.items))

    def draw(self, tables: int, generator: np.random.Generator) -> DrawnTables:
        """So many tables, at most `size`."""
        items, clusters = self._items(tables, generator)
        rows = len(self.places)
        seeds = self.sigmas[:, None] * generator.standard_normal((tables, rows, self.seeds))
        places = self.places[:, items].swapaxes(0, 1)[:, :, None] + seeds[..., None].astype(np.float32)
        right = places > generator.standard_normal(places.shape, dtype=np.float32)
        part = self.of.part
        # What is at the mean costs as much to make as all the rest, and right answers have none of it.
        values = right if part == 1 else part * right + (1 - part) * ndtr(places)
        return DrawnTables(_drawn_means(values, clusters), _drawn_means(self.of.base[items][:, None, None], clusters))

    def _items(self, tables: int, generator: np.random.Generator) -> tuple[Indices, Clusters]:
        """(tables, items), with replacement."""
        known = self.of.clusters
        if self.members is None:
            alone = Clusters(np.arange(self.items), float(self.items), known.few)
            return generator.integers(len(known.codes), size=(tables, self.items)), alone
        # One cluster would say nothing of how far clusters vary.
        count = max(2, round(len(self.members) * self.items / len(known.codes)))
        chosen = [self.members[code] for code in generator.integers(len(self.members), size=count)]
        sizes = np.array([len(each) for each in chosen])
        effective = float(sizes.sum() ** 2 / (sizes**2).sum())
        return np.concatenate(chosen)[None], Clusters(np.repeat(np.arange(count), sizes), effective)


def _drawn_means(values: Floats, clusters: Clusters) -> Jackknifed:
    counts = np.stack([values, np.ones_like(values)], axis=-1).astype(np.float64)
    return of_counts(counts, lambda totals: totals[..., 0] / totals[..., 1], clusters)

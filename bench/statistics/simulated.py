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

A metric of sums over items, as entity F1, has no such value. An answer's is how far its counts move the score, on the way from
the worst answer to its item to the best (drawn_scores.py). So rows, seeds and items vary in the score as they do in the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from bench.statistics.arrays import Floats, Indices
from bench.statistics.drawn_scores import Scoring, scoring_of_mean
from bench.statistics.intervals import Spread
from bench.statistics.jackknife import Clusters, Jackknifed, effective_number, of_counts

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
    scoring: Scoring
    sd: float
    """Of a row's score over seeds, on endless items."""
    seeds: int
    clusters: Clusters
    part: float = 1.0
    """Of an answer's value, what is all or nothing: 1 where answers are right or wrong."""
    share_of_items: bool = True
    """Whether a comparison takes the score as a share, which one item of n moves by no more than 1 / n."""
    family: int | None = None
    """Pairs that the real table looks at together; None: all pairs of these rows, which may be fewer."""
    printed: float | None = None
    """The smallest detectable difference that the real table prints; None where it is of another number of seeds, or of other
    rows, or where seeds can't be drawn to vary as little as the table's did by chance."""

    @property
    def items(self) -> int:
        return self.chances.shape[-1]

    @cached_property
    def sigmas(self) -> Floats:
        """(rows,)"""
        return np.array([_sigma(row, self.sd, self.scoring) for row in self.chances])

    @cached_property
    def truths(self) -> Floats:
        """Each row's mean score over endless seeds and items."""
        # Seeds leave a mean where it is, and there is no need to ask what they are.
        if self.scoring.of_mean:
            return self.chances.mean(-1)
        return np.array([_mean_score(*each, self.scoring) for each in zip(self.chances, self.sigmas, strict=True)])

    @property
    def effective_clusters(self) -> float:
        """As many as the rows' score rests on, where all answers are at their mean; of the row with fewest."""
        mean = self.scoring.counts(self.chances[None, :, None], np.arange(self.items)[None])
        answered = of_counts(mean, self.scoring.number, self.clusters, self.scoring.weights(mean))
        return float(np.min(answered.freedom)) + 1

    @property
    def lowest(self) -> float:
        """The score of the worst answers."""
        return float(self.scoring.scores(np.zeros(self.items)))

    @property
    def highest(self) -> float:
        """The score of the best answers."""
        return float(self.scoring.scores(np.ones(self.items)))

    @cached_property
    def own(self) -> Floats:
        """(rows,): the variance over seeds of what an answer to one item adds to the score, times the items; the mean over
        items."""
        return self.part**2 * (self.chances * (1 - self.chances) * self.scoring.reach(self.chances) ** 2).mean(-1)

    def share(self, score: float) -> float | None:
        """The score where it is a share of right answers, of which alone it is known how it varies at another score."""
        return score if self.scoring.of_mean and self.part == 1 else None

    def of(self, rows: Sequence[int], scores: Sequence[float] | None = None) -> "Likeness":
        """These of the rows, any of them as often as wished; with `scores`, shifted until they have these means."""
        chances = self.chances[list(rows)]
        if scores is not None:
            chances = np.stack([self._shifted_chances(row, score) for row, score in zip(chances, scores, strict=True)])
        return replace(self, chances=chances)

    def _shifted_chances(self, chances: Floats, score: float) -> Floats:
        places = ndtri(chances)

        def excess(by: float) -> float:
            return float(replace(self, chances=ndtr(places + by)[None]).truths[0]) - score

        # A shift by twelve takes any chance that is let in from one end to the other.
        shifted: Floats = ndtr(places + float(brentq(excess, -12.0, 12.0)))
        return shifted


def likeness(right: Floats, base: Floats, clusters: Clusters) -> Likeness:
    """Of a table's answers, (rows, seeds, items) of 1 where they are right or of values up to 1, with at least two seeds."""
    return likeness_of_counts(np.stack([right, np.ones_like(right)], axis=-1), scoring_of_mean(base), clusters)


def likeness_of_counts(counts: Floats, scoring: Scoring, clusters: Clusters) -> Likeness:
    """Of what a table's answers count, (rows, seeds, items, k), with at least two seeds."""
    seeds, items = counts.shape[1:3]
    totals = counts.mean(1).sum(1)
    moved = scoring.moved(totals, counts)
    # The unbiased chance of a seed's own answer, of which the mean over seeds has a part.
    own = moved.var(1, ddof=1).mean(-1)
    # Scores on these items vary by each seed's own answers too, of which endless items would leave nothing.
    variance = float(scoring.number(counts.sum(2)).var(-1, ddof=1).mean() - own.mean() / items)
    low, high = (scoring.moved(totals, end) for end in (scoring.worst, scoring.best))
    above = _without_chance(moved.mean(1), own / seeds) - low
    # An item that no answer to it can move, as a sentence without entities, has no place on its way.
    shares = np.divide(above, high - low, out=np.full_like(above, 0.5), where=high > low)
    # The probit of 0 or 1 has no end.
    chances = np.clip(shares, LEAST_CHANCE, 1 - LEAST_CHANCE)
    whole = Likeness(chances, scoring, float(np.sqrt(max(variance, 0.0))), seeds, clusters)
    at_ends = (counts == scoring.worst).all(-1) | (counts == scoring.best).all(-1)
    return whole if at_ends.all() else replace(whole, part=_part(float(own.mean()), whole))


def _part(own: float, of: Likeness) -> float:
    """The part with which answers vary over seeds as they do, at most all of it."""
    return float(np.sqrt(min(own / of.own.mean(), 1.0)))


def _without_chance(shares: Floats, chance: Floats) -> Floats:
    centre = shares.mean(-1, keepdims=True)
    covariance = np.atleast_2d(np.cov(shares, bias=True))
    root = _symmetric_root(covariance - np.diag(chance))
    # Rows that answer nearly alike leave the matrix without an inverse.
    drawn = root @ np.linalg.pinv(_symmetric_root(root @ covariance @ root), hermitian=True, rcond=1e-9) @ root
    return centre + drawn @ (shares - centre)


def _symmetric_root(matrix: Floats) -> Floats:
    """Of a symmetric matrix, what is negative in it by chance left out."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _scores_of_seeds(chances: Floats, sigma: float, scoring: Scoring) -> Floats:
    """The scores, on endless items, of a row's seeds whose normal number is a node."""
    # The root keeps each item's mean over seeds where it was.
    return scoring.scores(ndtr(ndtri(chances) * np.sqrt(1 + sigma**2) + sigma * NODES[:, None]))


def _mean_score(chances: Floats, sigma: float, scoring: Scoring) -> float:
    return float(WEIGHTS @ _scores_of_seeds(chances, sigma, scoring))


def _sigma(chances: Floats, sd: float, scoring: Scoring) -> float:
    """The sigma with which the score of these items varies so far over seeds; as large as it can be where none does."""

    def excess(sigma: float) -> float:
        scores = _scores_of_seeds(chances, sigma, scoring)
        return float(np.sqrt(max(float(WEIGHTS @ scores**2 - (WEIGHTS @ scores) ** 2), 0.0)) - sd)

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


class Tables:
    """Draws tables of so many seeds and items, whole clusters of them where the likeness has such."""

    def __init__(self, of: Likeness, seeds: int, items: int | None = None) -> None:
        self.of, self.seeds, self.items = of, seeds, items or of.items
        self.places = (ndtri(of.chances) * np.sqrt(1 + of.sigmas[:, None] ** 2)).astype(np.float32)
        codes = of.clusters.codes
        self.members = None if of.clusters.single else [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]

    @property
    def size(self) -> int:
        """Tables that are drawn at once: two million counts, or one table of clusters."""
        counts = len(self.places) * self.seeds * self.items * self.of.scoring.base.shape[-1]
        # Tables of redrawn clusters have unlike numbers of items, and stand in no common array.
        return 1 if self.members else max(1, 2_000_000 // counts)

    def draw(self, tables: int, generator: np.random.Generator) -> DrawnTables:
        """So many tables, at most `size`."""
        items, clusters = self._items(tables, generator)
        rows = len(self.places)
        seeds = self.of.sigmas[:, None] * generator.standard_normal((tables, rows, self.seeds))
        places = self.places[:, items].swapaxes(0, 1)[:, :, None] + seeds[..., None].astype(np.float32)
        right = places > generator.standard_normal(places.shape, dtype=np.float32)
        part = self.of.part
        # What is at the mean costs as much to make as all the rest, and right answers have none of it.
        values = right if part == 1 else part * right + (1 - part) * ndtr(places)
        scoring = self.of.scoring
        drawn, base = scoring.counts(values, items), scoring.base[items][:, None, None]
        return DrawnTables(*(of_counts(each, scoring.number, clusters, scoring.weights(each)) for each in (drawn, base)))

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
        effective = float(effective_number(sizes.astype(np.float64)))
        return np.concatenate(chosen)[None], Clusters(np.repeat(np.arange(count), sizes), effective)

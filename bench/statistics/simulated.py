"""Tables in the likeness of a real one whose answers are counted: right ones, graded ones, and sums as of entity F1.

What is real: which items are hard for which rows, how far rows and seeds agree on an item, which items belong together, and how
far the seeds' scores vary. What is a model: a row answers item i rightly with a probability p_ki, and a new seed of standard
normal u shifts it on the probit scale, Phi(a_ki + sigma_k u), independently from row to row. sigma_k is such that the score of
endless items varies over seeds as the table's does, and a_ki such that the mean over seeds stays p_ki.

Two or three seeds say 0, 1/2 or 1 of an item, which is p_ki and chance. So each item's shares are drawn together linearly as
little as leaves rows the covariances over items that they have without that chance.

A graded answer, as of SQuAD's F1, has a value from 0 to 1, which p_ki is the mean of. Its seeds differ by less than right and
wrong do. So a part of the value stays at the item's mean for that seed, and the rest is all or nothing; the part is such that
answers vary over seeds as far as the table's do.

A metric of sums over items, as entity F1, has no such value. An answer's is how far its counts move the score, on the way from
the worst answer to its item to the best (drawn_scores.py). So rows, seeds and items vary in the score as they do in the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from bench.statistics.arrays import Floats, Indices
from bench.statistics.drawn_scores import Scoring, scoring_of_mean
from bench.statistics.intervals import Scale
from bench.statistics.jackknife import Clusters, of_counts
from bench.statistics.likeness import NODES, WEIGHTS, DrawnTables, Likeness, sigma_of_seeds, without_chance

LEAST_CHANCE = 1e-4
"""No answer is more certain than this."""
MOST_SIGMA = 5.0


@dataclass(frozen=True, kw_only=True)
class CountedLikeness(Likeness):
    """What tables are drawn from."""

    chances: Floats
    """(rows, items): of a right answer, over seeds; the mean of a graded one."""
    scoring: Scoring
    part: float = 1.0
    """Of an answer's value, what is all or nothing: 1 where answers are right or wrong."""

    @property
    def rows(self) -> int:
        return len(self.chances)

    @property
    def untouched(self) -> float:
        return self.scoring.untouched

    @property
    def scale(self) -> Scale:
        return self.scoring.scale

    @property
    def at_once(self) -> float:
        return self.scoring.base.shape[-1]

    @cached_property
    def sigmas(self) -> Floats:
        """(rows,)"""
        return np.array([_sigma(row, self.sd, self.scoring) for row in self.chances])

    @cached_property
    def truths(self) -> Floats:
        # Seeds leave a mean where it is, and there is no need to ask what they are.
        if self.scoring.of_mean:
            return self.chances.mean(-1)
        return np.array([_mean_score(*each, self.scoring) for each in zip(self.chances, self.sigmas, strict=True)])

    @property
    def effective_clusters(self) -> float:
        mean = self.scoring.counts(self.chances[None, :, None], np.arange(self.items)[None])
        answered = of_counts(mean, self.scoring.number, self.clusters, self.scoring.weights(mean))
        return float(np.min(answered.freedom)) + 1

    @property
    def lowest(self) -> float:
        return float(self.scoring.scores(np.zeros(self.items)))

    @property
    def highest(self) -> float:
        return float(self.scoring.scores(np.ones(self.items)))

    @cached_property
    def own(self) -> Floats:
        return self.part**2 * (self.chances * (1 - self.chances) * self.scoring.reach(self.chances) ** 2).mean(-1)

    def share(self, score: float) -> float | None:
        return score if self.scoring.of_mean and self.part == 1 else None

    def of(self, rows: Sequence[int], scores: Sequence[float] | None = None) -> Self:
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

    @cached_property
    def _places(self) -> Floats:
        """(rows, items): of each item on the probit scale, for a seed whose normal number is 0."""
        return (ndtri(self.chances) * np.sqrt(1 + self.sigmas[:, None] ** 2)).astype(np.float32)

    def drawn(self, items: Indices, clusters: Clusters, seeds: int, generator: np.random.Generator) -> DrawnTables:
        moved = self.sigmas[:, None] * generator.standard_normal((len(items), self.rows, seeds))
        places = self._places[:, items].swapaxes(0, 1)[:, :, None] + moved[..., None].astype(np.float32)
        right = (places > generator.standard_normal(places.shape, dtype=np.float32)).astype(np.float64)
        # What is at the mean costs as much to make as all the rest, and right answers have none of it.
        values = right if self.part == 1 else self.part * right + (1 - self.part) * ndtr(places)
        scoring = self.scoring
        answers, base = scoring.counts(values, items), scoring.base[items][:, None, None]
        return DrawnTables(*(of_counts(each, scoring.number, clusters, scoring.weights(each)) for each in (answers, base)))


def likeness(right: Floats, base: Floats, clusters: Clusters) -> CountedLikeness:
    """Of a table's answers, (rows, seeds, items) of 1 where they are right or of values up to 1, with at least two seeds."""
    return likeness_of_counts(np.stack([right, np.ones_like(right)], axis=-1), scoring_of_mean(base), clusters)


def likeness_of_counts(counts: Floats, scoring: Scoring, clusters: Clusters) -> CountedLikeness:
    """Of what a table's answers count, (rows, seeds, items, k), with at least two seeds."""
    seeds, items = counts.shape[1:3]
    totals = counts.mean(1).sum(1)
    moved = scoring.moved(totals, counts)
    # The unbiased chance of a seed's own answer, of which the mean over seeds has a part.
    own = moved.var(1, ddof=1).mean(-1)
    # Scores on these items vary by each seed's own answers too, of which endless items would leave nothing.
    variance = float(scoring.number(counts.sum(2)).var(-1, ddof=1).mean() - own.mean() / items)
    low, high = (scoring.moved(totals, end) for end in (scoring.worst, scoring.best))
    above = without_chance(moved.mean(1), own / seeds) - low
    # An item that no answer to it can move, as a sentence without entities, has no place on its way.
    shares = np.divide(above, high - low, out=np.full_like(above, 0.5), where=high > low)
    # The probit of 0 or 1 has no end.
    chances = np.clip(shares, LEAST_CHANCE, 1 - LEAST_CHANCE)
    sd = float(np.sqrt(max(variance, 0.0)))
    whole = CountedLikeness(chances=chances, scoring=scoring, sd=sd, seeds=seeds, clusters=clusters)
    at_ends = (counts == scoring.worst).all(-1) | (counts == scoring.best).all(-1)
    return whole if at_ends.all() else replace(whole, part=_part(float(own.mean()), whole))


def _part(own: float, of: CountedLikeness) -> float:
    """The part with which answers vary over seeds as they do, at most all of it."""
    return float(np.sqrt(min(own / of.own.mean(), 1.0)))


def _scores_of_seeds(chances: Floats, sigma: float, scoring: Scoring) -> Floats:
    """The scores, on endless items, of a row's seeds whose normal number is a node."""
    # The root keeps each item's mean over seeds where it was.
    return scoring.scores(ndtr(ndtri(chances) * np.sqrt(1 + sigma**2) + sigma * NODES[:, None]))


def _mean_score(chances: Floats, sigma: float, scoring: Scoring) -> float:
    return float(WEIGHTS @ _scores_of_seeds(chances, sigma, scoring))


def _sigma(chances: Floats, sd: float, scoring: Scoring) -> float:
    return sigma_of_seeds(lambda sigma: _scores_of_seeds(chances, sigma, scoring), sd, MOST_SIGMA)

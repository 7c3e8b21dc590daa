"""What simulated tables are drawn from, of whatever kind their answers are, and how a table's items are drawn.

Real are the items: which of them belong together, and what each row answers to them (simulated.py has answers that are counted,
simulated_values.py those that are a value). A new seed is made up, and moves a row's answers to all items. How far it does is
such that scores of endless items vary over seeds as the table's do. The few real seeds are never redrawn: that would keep only
(S - 1) / S of their variance. Nothing is said of seeds that are far from normal.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import brentq

from bench.statistics.arrays import Floats, Indices
from bench.statistics.estimates import BETWEEN_0_AND_1
from bench.statistics.intervals import Scale, Spread
from bench.statistics.jackknife import Clusters, Jackknifed, effective_number

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
# They come adding up to the root of 2 pi.
WEIGHTS = WEIGHTS / WEIGHTS.sum()


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


@dataclass(frozen=True, kw_only=True)
class Likeness(ABC):
    """What tables are drawn from."""

    sd: float
    """Of a row's score over seeds, on endless items."""
    seeds: int
    clusters: Clusters
    share_of_items: bool = True
    """Whether a comparison takes the score as a share, which one item of n moves by no more than 1 / n, and an order of pairs
    is none."""
    family: int | None = None
    """Pairs that the real table looks at together; None: all pairs of these rows, which may be fewer."""
    printed: float | None = None
    """The smallest detectable difference that the real table prints; None where it is of another number of seeds, or of other
    rows, or where seeds can't be drawn to vary as little as the table's did by chance."""
    unit: str = "points"
    """Of differences: points are hundredths."""

    @property
    def items(self) -> int:
        return len(self.clusters.codes)

    @property
    @abstractmethod
    def rows(self) -> int: ...

    @property
    @abstractmethod
    def truths(self) -> Floats:
        """(rows,): each row's mean score over endless seeds and items."""

    @property
    @abstractmethod
    def untouched(self) -> float:
        """The untouched model's score on endless items."""

    @property
    @abstractmethod
    def scale(self) -> Scale:
        """How bounds of a score are kept inside."""

    @property
    @abstractmethod
    def lowest(self) -> float:
        """The score of the worst answers."""

    @property
    @abstractmethod
    def highest(self) -> float:
        """The score of the best answers."""

    @property
    @abstractmethod
    def own(self) -> Floats:
        """(rows,): the variance over seeds of what an answer to one item adds to the score, times the items; the mean over
        items."""

    @property
    @abstractmethod
    def effective_clusters(self) -> float:
        """As many as the rows' score rests on, where all answers are at their mean; of the row with fewest."""

    @property
    @abstractmethod
    def at_once(self) -> float:
        """Numbers that one table's answer to one item takes; endless where tables are drawn one by one."""

    @abstractmethod
    def share(self, score: float) -> float | None:
        """The score where it is a share of right answers."""

    @property
    def mean_share(self) -> float | None:
        """The rows' mean score, where it is known how its answers vary at another score: `share_of_rows`, of real rows."""
        return float(self.truths.mean()) if self.scale in BETWEEN_0_AND_1 else None

    @abstractmethod
    def of(self, rows: Sequence[int], scores: Sequence[float] | None = None) -> Self:
        """These of the rows, any of them as often as wished; with `scores`, shifted until they have these means."""

    @abstractmethod
    def drawn(self, items: Indices, clusters: Clusters, seeds: int, generator: np.random.Generator) -> DrawnTables:
        """Tables of so many new seeds on each table's items, (tables, items)."""

    def in_words(self, *differences: float) -> str:
        """`8.1 points`, `0.012 to 0.015 nats per token`"""
        of_share = self.unit == "points"
        numbers = (f"{100 * each:.1f}" if of_share else f"{each:.3f}" for each in differences)
        return f"{' to '.join(numbers)} {self.unit}"


class Tables:
    """Draws tables of so many seeds and items, whole clusters of them where the likeness has such."""

    def __init__(self, of: Likeness, seeds: int, items: int | None = None) -> None:
        self.of, self.seeds, self.items = of, seeds, items or of.items
        codes = of.clusters.codes
        self.members = None if of.clusters.single else [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]

    @property
    def size(self) -> int:
        """Tables that are drawn at once: two million numbers, or one table of clusters."""
        numbers = self.of.rows * self.seeds * self.items * self.of.at_once
        # Tables of redrawn clusters have unlike numbers of items, and stand in no common array.
        return 1 if self.members else max(1, int(2_000_000 // numbers))

    def draw(self, tables: int, generator: np.random.Generator) -> DrawnTables:
        """So many tables, at most `size`."""
        items, clusters = self._items(tables, generator)
        return self.of.drawn(items, clusters, self.seeds, generator)

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


def sigma_of_seeds(scores: Callable[[float], Floats], sd: float, most: float) -> float:
    """The sigma, at most so large, with which the scores of seeds whose normal numbers are the nodes, (nodes,), vary so far;
    the largest where none does."""

    def excess(sigma: float) -> float:
        at_nodes = scores(sigma)
        return float(np.sqrt(max(float(WEIGHTS @ at_nodes**2 - (WEIGHTS @ at_nodes) ** 2), 0.0)) - sd)

    return most if excess(most) < 0 else float(brentq(excess, 0.0, most)) if sd else 0.0


def without_chance(shares: Floats, chance: Floats) -> Floats:
    """Each row's means over seeds, (rows, items), drawn together linearly as little as leaves rows the covariances over items
    that they have without the seeds' own chance, (rows,) (the map of optimal transport between two normal distributions)."""
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

"""Tables in the likeness of a real one whose answers are values without ends: losses in nats, and similarities that rank pairs.

What is real: each row's mean value of an item, which of them belong together, how far a seed's value of an item lies from that
mean, and how far the seeds' scores vary. What is a model: such distances are normal and independent, with a spread of each
item's own, and a new seed of standard normal u shifts all values by sigma_k u (drawn_values.py: of pairs that are ranked, the
two classes from each other).

The means of two or three seeds have some of the seeds' own chance in them, which would make items seem less alike between rows
than they are. As in simulated.py they are drawn together by so much.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.optimize import brentq

from bench.statistics.arrays import Floats, Indices
from bench.statistics.drawn_values import NumberOfValues
from bench.statistics.intervals import Scale
from bench.statistics.jackknife import Clusters
from bench.statistics.likeness import NODES, WEIGHTS, DrawnTables, Likeness, sigma_of_seeds, without_chance

MOST_SDS = 12
"""Standard deviations of all values; no row and no seed lies further from another."""
LEAST_SHIFT = 1e-6


@dataclass(frozen=True, kw_only=True)
class ValuedLikeness(Likeness):
    """What tables are drawn from."""

    number: NumberOfValues
    places: Floats
    """(rows, items): the mean over seeds of each row's value."""
    spreads: Floats
    """(items,): standard deviation of a seed's own value."""
    by_shift: Sequence[Callable[[Floats], Floats]]
    """Of each row: its score on endless items where its values are shifted."""
    shifts: Floats
    """(rows,)"""
    own_by_row: Floats
    freedom: float
    """Of the real score's variance over items."""
    most: float
    """A shift that is larger than any which is looked for."""

    @property
    def rows(self) -> int:
        return len(self.places)

    @property
    def own(self) -> Floats:
        return self.own_by_row

    @property
    def effective_clusters(self) -> float:
        return self.freedom + 1

    @cached_property
    def untouched(self) -> float:
        everything = np.arange(self.items)[None]
        return float(self.number.jackknifed(self.number.base[None, None, None], everything, self.clusters).values.item())

    @property
    def scale(self) -> Scale:
        return self.number.scale

    @property
    def lowest(self) -> float:
        return self.number.ends[0]

    @property
    def highest(self) -> float:
        return self.number.ends[1]

    @property
    def at_once(self) -> float:
        return self.number.at_once

    @cached_property
    def sigmas(self) -> Floats:
        """(rows,)"""
        return np.array([self._sigma_of_row(*each) for each in zip(self.by_shift, self.shifts, strict=True)])

    def _sigma_of_row(self, score: Callable[[Floats], Floats], shift: float) -> float:
        return sigma_of_seeds(lambda sigma: score(shift + sigma * NODES), self.sd, self.most)

    @cached_property
    def truths(self) -> Floats:
        moved = self.shifts[:, None] + self.sigmas[:, None] * NODES
        return np.array([WEIGHTS @ of(row) for row, of in zip(moved, self.by_shift, strict=True)])

    def share(self, score: float) -> float | None:
        return None

    def of(self, rows: Sequence[int], scores: Sequence[float] | None = None) -> Self:
        picked = list(rows)
        found = replace(
            self,
            places=self.places[picked],
            by_shift=[self.by_shift[row] for row in picked],
            shifts=self.shifts[picked],
            own_by_row=self.own_by_row[picked],
        )
        if scores is None:
            return found
        return replace(found, shifts=np.array([found._shift_to(row, score) for row, score in enumerate(scores)]))

    def _shift_to(self, row: int, score: float) -> float:
        alone = self.of([row])

        def excess(shift: float) -> float:
            return float(replace(alone, shifts=np.array([shift])).truths[0]) - score

        return float(brentq(excess, -self.most, self.most))

    def drawn(self, items: Indices, clusters: Clusters, seeds: int, generator: np.random.Generator) -> DrawnTables:
        moved = self.shifts[:, None] + self.sigmas[:, None] * generator.standard_normal((len(items), self.rows, seeds))
        by_item = self.number.direction[items][:, None, None]
        values = self.places[:, items].swapaxes(0, 1)[:, :, None] + moved[..., None] * by_item
        values = values + self.spreads[items][:, None, None] * generator.standard_normal(values.shape)
        base = self.number.base[items][:, None, None]
        return DrawnTables(*(self.number.jackknifed(each, items, clusters) for each in (values, base)))


def likeness_of_values(values: Floats, number: NumberOfValues, clusters: Clusters) -> ValuedLikeness:
    """Of what a table's rows gave for each item, (rows, seeds, items), with at least two seeds."""
    rows, seeds, items = values.shape
    values = number.on_one_scale(values)
    real = number.jackknifed(values[None], np.arange(items)[None], clusters)
    # What one seed's answers vary by, less what all seeds of the row have in common.
    own = np.maximum((real.shifts[0] ** 2).sum(-1).mean(-1) - real.items_variance[0], 0.0) * items
    variance = float(real.values[0].var(-1, ddof=1).mean() - own.mean() / items)
    places, spreads = np.empty((rows, items)), np.empty(items)
    for group in number.groups:
        mine = values[..., group]
        # A shift of all of a seed's values is the seed's, and no item's own.
        apart = (mine - mine.mean(-1, keepdims=True)).var(1, ddof=1)
        spreads[group] = np.sqrt(apart.mean(0))
        places[:, group] = without_chance(mine.mean(1), apart.mean(-1) / seeds)
    return ValuedLikeness(
        sd=float(np.sqrt(max(variance, 0.0))),
        seeds=seeds,
        clusters=clusters,
        number=number,
        places=places,
        spreads=spreads,
        by_shift=[number.by_shift(row, spreads) for row in places],
        shifts=np.zeros(rows),
        own_by_row=own,
        freedom=float(np.min(real.freedom)),
        most=MOST_SDS * float(values.std()) + LEAST_SHIFT,
    )

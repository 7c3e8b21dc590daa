"""How many seeds and items it takes to find a difference, from the variances that a pilot has shown.

The variance of a row's scores over seeds, B, is that of its seeds on endless items and the chance of a seed's own answers to
these: B = sigma^2 + own / n. More items make the second part and the variance over items smaller, and never the first.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

import numpy as np
from scipy.special import chdtri

from bench.statistics.detectable import smallest_difference
from bench.statistics.intervals import CONFIDENCE, FEW_SEEDS, Margin, pooled
from bench.statistics.jackknife import Jackknifed

FEWEST_ITEMS, MOST_ITEMS = 2, 10_000_000
SEEDS_LOOKED_AT = 1000
ENDLESS = 1e15


@dataclass(frozen=True)
class Pilot:
    """What moves the scores of a table's rows, which all have as many seeds."""

    rows: int
    items: int
    sigma2: float
    """Variance of a row's score over seeds, on endless items."""
    own: float
    """Variance of one seed's own answers per item."""
    shared: float
    """Variance per item of the difference of two rows' means over endless seeds; the mean over pairs."""
    freedom: int
    """Of the pilot's variance over seeds."""
    effective: float
    """Effective clusters, or items, for each item."""
    pairs: int
    """That are looked at together (Holm)."""
    share: float | None
    """The score that a difference is taken from, where it is a number between 0 and 1."""

    def margin(self, seeds: int, items: float) -> Margin:
        """Of a pair of rows in a table of so many seeds and items."""
        freedom = self.rows * (seeds - 1) if seeds <= FEW_SEEDS else 2 * (seeds - 1)
        seeded = 2 * (self.sigma2 + self.own / items) / seeds
        # Where items belong together few of them can leave less than one degree of freedom, of which there is no t.
        own = 2 * self.own / items / seeds
        return Margin(seeded, freedom, self.shared / items, max(self.effective * items - 1, 1.0), own=own)

    def smallest(self, seeds: int, items: float = ENDLESS) -> float:
        """The smallest detectable difference; with endless items the floor that seeds set."""
        return smallest_difference(self.margin(seeds, items), (1 - CONFIDENCE) / self.pairs, self.share)

    def items_for(self, difference: float, seeds: int) -> int | None:
        """The fewest items on which this difference is found four times out of five; None where no number of them suffices."""
        if self.smallest(seeds, MOST_ITEMS) > difference:
            return None
        low, high = FEWEST_ITEMS - 1, MOST_ITEMS
        while high - low > 1:
            # The answer may be of any size from two to ten millions: halving its exponent comes there sooner.
            middle = math.isqrt(low * high) if high > 4 * low else (low + high) // 2
            low, high = (low, middle) if self.smallest(seeds, middle) <= difference else (middle, high)
        return high

    def seeds_for(self, difference: float) -> int | None:
        """The fewest seeds, more than FEW_SEEDS, that find this difference with endless items; None where no 1,000 do."""
        seeds = range(FEW_SEEDS + 1, SEEDS_LOOKED_AT + 1)
        place = bisect_left(seeds, -difference, key=lambda count: -self.smallest(count))
        return seeds[place] if place < len(seeds) else None

    def ends(self) -> tuple["Pilot", "Pilot"]:
        """With the seeds' variance as small and as large as 80 of 100 such pilots leave it."""
        variance = self.sigma2 + self.own / self.items
        varied = [variance * self.freedom / float(chdtri(self.freedom, tail)) for tail in (0.1, 0.9)]
        # The range is that of the variance that the pilot has seen, of which its items' chance is a known part.
        few, many = (replace(self, sigma2=max(each - self.own / self.items, 0.0)) for each in varied)
        return few, many


def pilot(rows: Sequence[Jackknifed], pairs: int, share: float | None) -> Pilot:
    """From at least two rows of at least two seeds each, that answered the same items."""
    items, clusters = len(rows[0].clusters.codes), fmean(float(row.freedom) for row in rows) + 1
    spread = pooled([row.values.tolist() for row in rows])
    own = float(np.mean([row.own_variance for row in rows])) * items
    shared = [a.items_variance + b.items_variance - 2 * a.items_covariance(b) for a, b in combinations(rows, 2)]
    return Pilot(
        rows=len(rows),
        items=items,
        sigma2=max(float(spread.variance) - max(own, 0.0) / items, 0.0),
        own=max(own, 0.0),
        shared=float(np.mean(np.maximum(shared, 0.0))) * items,
        freedom=spread.freedom,
        effective=clusters / items,
        pairs=pairs,
        share=share,
    )

"""Rows of a table held against each other: differences, what many of them together allow to say, and ranks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.statistics.arrays import Floats
from bench.statistics.intervals import CONFIDENCE, Spread, limits, of_pair
from bench.statistics.jackknife import Jackknifed


@dataclass(frozen=True)
class Difference:
    """One row's mean minus another's, with its 95 % interval over seeds and items, and its p among all pairs of the table."""

    one: int
    other: int
    value: float
    low: float
    high: float
    p: float
    """Holm's, over all pairs."""

    @property
    def significant(self) -> bool:
        return self.p <= 1 - CONFIDENCE


def holm(ps: Floats) -> Floats:
    """p values, (..., tests), corrected for being looked at together (Holm 1979): each of them at most .05 is a finding, and
    in 95 of 100 families none of the findings is false."""
    ps = np.asarray(ps, dtype=np.float64)
    tests = ps.shape[-1]
    order = np.argsort(ps, axis=-1)
    steps = np.take_along_axis(ps, order, -1) * np.arange(tests, 0, -1)
    corrected = np.empty_like(ps)
    np.put_along_axis(corrected, order, np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0), -1)
    return corrected


def pairs(rows: Sequence[Jackknifed], spread: Spread) -> list[Difference]:
    """All pairs of a table's rows, which answered the same items."""
    places = [(one, other) for one in range(len(rows)) for other in range(one + 1, len(rows))]
    values = [float(rows[one].values.mean() - rows[other].values.mean()) for one, other in places]
    margins = [of_pair(rows[one], rows[other], spread) for one, other in places]
    ps = holm(np.array([float(margin.p(value)) for value, margin in zip(values, margins, strict=True)]))
    found = []
    for (one, other), value, margin, p in zip(places, values, margins, ps, strict=True):
        low, high = limits(value, margin)
        found.append(Difference(one, other, value, float(low), float(high), float(p)))
    return found


def ranks(rows: int, better: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The places, 1 the best, at which each row may stand; `better[i, j]`: i is significantly better than j.

    A row stands at 1 + the rows better than it at best, and at the number of rows minus those worse at worst. Rows are not put
    into groups of ties: "not different" is not transitive.
    """
    above, below = better.sum(0), better.sum(1)
    return [(1 + int(above[row]), rows - int(below[row])) for row in range(rows)]


def beats(rows: int, differences: Sequence[Difference], higher_is_better: bool = True) -> npt.NDArray[np.bool_]:
    """(rows, rows): whether one row is significantly better than another."""
    better = np.zeros((rows, rows), dtype=bool)
    for each in differences:
        if each.significant:
            first = (each.value > 0) == higher_is_better
            better[(each.one, each.other) if first else (each.other, each.one)] = True
    return better


def top_group(places: Sequence[tuple[int, int]]) -> list[int]:
    """The rows than which none is significantly better."""
    return [row for row, (best, _) in enumerate(places) if best == 1]

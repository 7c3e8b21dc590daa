"""Gain against forgetting: what a row pays for its gain, at the end and at equal gain, and which rows nothing beats in both.

Rows that are held against each other have their gains over one base: see one_base.py.
"""

from collections.abc import Sequence
from itertools import pairwise

from reports.rows.numbers import in_unit
from reports.rows.row import Row

Place = tuple[float, float]
"""Gain and forgetting."""
BASE: Place = (0.0, 0.0)
"""The untouched base's."""


def curve_places(row: Row, probe: str) -> list[Place]:
    """The row's curve in order of training, from the untouched base on; empty where the run was not watched.

    The gain on the way is that on validation items, for test data are read once.
    """
    points = [(point.gain, point.forgetting[probe]) for point in row.curve if probe in point.forgetting]
    # The untouched base has lost nothing, whatever its gain is counted from.
    return [(row.start, 0.0), *points] if points else []


def at_gain(places: Sequence[Place], gain: float) -> float | None:
    """Forgetting where the path first reaches a gain, by linear interpolation.

    Between the places (g0, f0) and (g1, f1) with g0 < G <= g1: f0 + (f1 - f0) (G - g0) / (g1 - g0). None if it never does.
    """
    for (g0, f0), (g1, f1) in pairwise(places):
        if g0 < gain <= g1:
            return f0 + (f1 - f0) * (gain - g0) / (g1 - g0)
    return None


def equal_gain(rows: Sequence[Row]) -> float | None:
    """The largest gain that all rows reach on their way: the minimum over rows of the maximum over a row's curve.

    Rows that never rise above the base reach none, and don't count; None if no row does.
    """
    highest = [max(point.gain for point in row.curve) for row in rows if row.curve]
    return min((gain for gain in highest if gain > 0), default=None)


def per_gained(row: Row, probe: str) -> float | None:
    """Forgetting at the end over gain at the end, both as they are shown: for shares, in points.

    None where the gain's interval does not lie above zero: nothing was surely gained that it could be the price of.
    """
    gain, lost = row.gain, row.forgetting.get(probe)
    # A quotient by what may be nothing can be of any size and sign.
    if gain is None or lost is None or gain.low is None or gain.low <= 0 or gain.value <= 0:
        return None
    return in_unit(lost.lost.value, lost.quantity) / in_unit(gain.value, row.quantity)


def unbeaten(places: Sequence[Place]) -> list[int]:
    """The Pareto frontier: indices of places such that none gains at least as much and forgets at most as much, and is better
    in one of the two. The untouched base competes too. Values are compared, not intervals."""

    def beats(a: Place, b: Place) -> bool:
        return a != b and a[0] >= b[0] and a[1] <= b[1]

    return [index for index, place in enumerate(places) if not any(beats(other, place) for other in [BASE, *places])]


def of_rows(rows: Sequence[Row], probe: str) -> list[Row]:
    """The rows on the frontier at their end, on test items."""
    placed = [(row, (row.gain.value, row.forgetting[probe].lost.value)) for row in rows if row.gain and probe in row.forgetting]
    return [placed[index][0] for index in unbeaten([place for _, place in placed])]

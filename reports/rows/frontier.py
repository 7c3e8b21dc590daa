"""Gain against forgetting: what a row pays for its gain, at the end and at equal gain, and which rows nothing beats in both.

Rows that are held against each other have their gains over one base: see one_base.py.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from bench.statistics.draws import DRAWS, beaten, redrawn, unbeaten_share
from bench.statistics.estimates import Estimate
from reports.rows.numbers import in_unit
from reports.rows.row import Row

Place = tuple[float, float]
"""Gain and forgetting."""
BASE: Place = (0.0, 0.0)
"""The untouched base's."""


def curve_places(row: Row, probe: str) -> list[Place]:
    """The row's curve in order of training, from the base on that it trains; empty where the run was not watched.

    The gain on the way is that on validation items, for test data are read once.
    """
    points = [(point.gain, point.forgetting[probe]) for point in row.curve if probe in point.forgetting]
    return [(row.start, lost_at_start(row, probe)), *points] if points else []


def lost_at_start(row: Row, probe: str) -> float:
    """What the row had lost before its first step: what rounding the base takes, and else nothing, whatever its gain is counted
    from."""
    lost = row.forgetting.get(probe)
    return lost.rounding.value if lost and lost.rounding else 0.0


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
    gains, lost = np.array([*places, BASE]).T
    return [index for index in np.flatnonzero(~beaten(gains[None], lost[None])[0]).tolist() if index < len(places)]


def with_place(rows: Sequence[Row], probe: str) -> list[tuple[Row, Estimate, Estimate]]:
    """The rows that have a place, each with its gain and with what it lost."""
    return [(row, row.gain, row.forgetting[probe].lost) for row in rows if row.gain and probe in row.forgetting]


def of_rows(rows: Sequence[Row], probe: str) -> list[Row]:
    """The rows on the frontier at their end, on test items."""
    ends = with_place(rows, probe)
    return [ends[index][0] for index in unbeaten([(gain.value, lost.value) for _, gain, lost in ends])]


def frontier_shares(rows: Sequence[Row], probe: str) -> Mapping[str, float]:
    """Label -> in what share of redrawn tables the row is on the frontier of gain against what the probe lost; nothing where
    some row's number has no interval, as a distance from the base has none.

    The untouched base, which gains and loses nothing, competes too. Gain and forgetting are redrawn independently.
    """
    # The same records give the same shares each time, in whatever order they come.
    ends = sorted(with_place(rows, probe), key=lambda end: end[0].label)
    # Such a number would be taken for certain, in its own share and in those of all rows beside it.
    if not ends or any(number.low is None for _, *numbers in ends for number in numbers):
        return {}
    generator = np.random.default_rng(0)
    gains = redrawn([gain for _, gain, _ in ends], DRAWS, generator)
    lost = redrawn([lost for _, _, lost in ends], DRAWS, generator)
    base = np.zeros((DRAWS, 1))
    shares = unbeaten_share(np.hstack([gains, base]), np.hstack([lost, base]))
    # The base's own share comes last, and no line asks for it.
    return {row.label: float(share) for (row, _, _), share in zip(ends, shares, strict=False)}

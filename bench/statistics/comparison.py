"""Rows of a table held against each other: differences, what many of them together allow to say, and ranks."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from bench.statistics.arrays import Floats
from bench.statistics.estimates import MANY, Estimate
from bench.statistics.intervals import CONFIDENCE, Margin, limits, of_pair


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
    margin: Margin
    paired: bool
    """Whether it is held over the items that both rows answered; else it is made of the rows' own intervals."""

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
    # A difference is no more surprising than one with a smaller p, whatever the factors make of the two.
    np.put_along_axis(corrected, order, np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0), -1)
    return corrected


def pairs(rows: Sequence[Estimate]) -> list[Difference]:
    """All pairs of a table's rows. A pair of which some row has no interval is never found to differ."""
    places = [(one, other) for one in range(len(rows)) for other in range(one + 1, len(rows))]
    if not places:
        return []
    values = np.array([rows[one].value - rows[other].value for one, other in places])
    margins = [margin_between(rows[one], rows[other]) for one, other in places]
    # All pairs search for their levels at once: a table of 40 rows has 780 of them.
    together = stacked(margins)
    ps = holm(together.p(values))
    lows, highs = limits(values, together)
    return [
        Difference(one, other, float(value), float(low), float(high), float(p), margin, paired(rows[one], rows[other]))
        for (one, other), margin, value, low, high, p in zip(places, margins, values, lows, highs, ps, strict=True)
    ]


def paired(one: Estimate, other: Estimate) -> bool:
    """Whether both rows are known to have answered the same items, which belong together in the same way."""
    if one.answered is None or other.answered is None:
        return False
    mine, theirs = one.answered.clusters, other.answered.clusters
    # Two rows whose task got other clusters in between have shifts that do not belong together.
    return mine.items_hash == theirs.items_hash and np.array_equal(mine.codes, theirs.codes)


def stacked(margins: Sequence[Margin]) -> Margin:
    """Many margins as one, whose numbers are arrays."""
    parts = [[getattr(each, field.name) for field in fields(Margin)] for each in margins]
    return Margin(*np.array(parts, dtype=np.float64).T)


def mean_margin(margins: Sequence[Margin]) -> Margin:
    """Of an average pair; a part's degrees of freedom are those of the pairs in which it varies, for others have none."""
    parts = stacked(margins)

    def mean(variances: float | Floats, freedoms: float | Floats) -> tuple[float, float]:
        known = np.asarray(freedoms)[np.asarray(variances) > 0]
        return float(np.mean(variances)), float(np.mean(known)) if len(known) else 0.0

    return Margin(
        *mean(parts.seeds, parts.seed_freedom),
        float(np.mean(parts.items)),
        float(np.mean(parts.item_freedom)),
        *mean(parts.other_seeds, parts.other_freedom),
        float(np.mean(parts.own)),
    )


def margin_between(one: Estimate, other: Estimate) -> Margin:
    """What the difference of two rows varies by: over the same items; else of two independent intervals (MOVER: Zou & Donner
    2008), whose near ends count."""
    if paired(one, other):
        assert one.answered is not None and other.answered is not None  # they are paired
        return of_pair(one.answered, other.answered, one.spread, other.spread)
    upper, lower = (one, other) if one.value >= other.value else (other, one)
    if upper.low is None or lower.high is None:
        # Where nothing is known no difference is surprising; the pair stays one of those that are looked at.
        return Margin(0.0, 0, np.inf, MANY)
    # As far as the wider of two intervals over seeds goes, with as few degrees of freedom.
    freedom = min((row.spread.freedom for row in (one, other) if row.spread.freedom), default=MANY)
    reach = np.hypot(upper.value - upper.low, lower.high - lower.value)
    # At the level of an interval it reaches as far as the two do, and farther at the levels that Holm asks of it.
    return Margin(0.0, 0, float(reach / Margin(0.0, 0, 1.0, freedom).half_width()) ** 2, freedom)


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

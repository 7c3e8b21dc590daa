"""The smallest difference between two rows that a table of so many seeds and items finds four times out of five."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr

from bench.statistics.arrays import Floats
from bench.statistics.intervals import CONFIDENCE, Margin

POWER = 0.8
EQUIVALENCE = 0.08
"""Level, both sides together, of the interval by which two one-sided tests show that a difference is small. Each is at .04: at
.05, .054 to .061 of simulated changes of exactly that size were called small (docs/method/gate.md)."""
GRID = 200
"""Values that an estimated variance may have, equally likely ones, over which power is averaged."""


@dataclass(frozen=True)
class Detectable:
    """`value` is found in 80 of 100 repetitions. It is known no better than the seeds' variance: 80 of 100 tables print one
    whose range, `low` to `high`, holds the truth."""

    value: float
    low: float
    high: float
    floor: float
    """What seeds alone allow: with any number of items, no smaller difference is found so often. Of rows whose answers are not
    known it is that of seeds which vary on endless items as they do on these."""


def detectable(
    margin: Margin, tests: int = 1, share: float | None = None, within: float = 0.0, known: float = 0, falls: bool = False
) -> Detectable:
    """The smallest detectable difference of a pair with this margin, where `tests` pairs are looked at together.

    With `share`, the score that the difference is taken from, the variance over items is that of shares, largest at one half.
    So the other score is taken to be lower where this one is above one half, and higher where it is below, which is the harder
    to see; with `falls` it is always lower. Only the bounds' own variation is in it (Holm's first step stands for all). A
    difference that is shown to be smaller than `within` does not count as found. `known` are the degrees of freedom of the
    variance over seeds where it is the mean of more rows' than the pair's, as that of an average pair is.
    """

    def smallest(margin: Margin) -> float:
        return smallest_difference(margin, (1 - CONFIDENCE) / tests, share, within, falls)

    value = smallest(margin)
    # The range is of how badly few seeds tell their variance, and of one seed there is none.
    if not margin.seeds and not margin.other_seeds:
        return Detectable(value, value, value, 0.0)
    low, high = (smallest(_at_tail(margin, tail, known)) for tail in (0.1, 0.9))
    return Detectable(value, low, high, smallest(margin.on_endless_items()))


def _at_tail(margin: Margin, tail: float, known: float) -> Margin:
    """With variances over seeds as far off as so many of 100 estimates are."""

    def at(variance: float | Floats, freedom: float | Floats) -> float:
        return float(variance * freedom / chdtri(freedom, tail)) if variance else 0.0

    seeds, others = at(margin.seeds, max(margin.seed_freedom, known)), at(margin.other_seeds, margin.other_freedom)
    return replace(margin, seeds=seeds, other_seeds=others)


def smallest_difference(margin: Margin, level: float, share: float | None, within: float = 0.0, falls: bool = False) -> float:
    """The difference that is found four times out of five at this level, and not shown to be smaller than `within`.

    Where not even the loss of the whole share is, or all that it lacks of 1, it is that of a number without an end: more than
    that.
    """
    direction = -1 if falls else toward_middle(share)

    def missing(difference: float) -> float:
        moved = _margin_at_difference(margin, direction * difference, share)
        return _detection_power(difference, moved, level, within) - POWER

    # The root is looked for between nothing, which is seldom found, and what is found nearly always.
    most = 10 * float(margin.half_width(level)) + 2 * within + 1e-12
    if share is not None:
        most = min(most, share if direction < 0 else 1 - share)
        if missing(most) < 0:
            return smallest_difference(margin, level, None, within)
    # Where nothing varies any difference is found.
    return float(brentq(missing, 0.0, most)) if most > 1e-12 else 0.0


def toward_middle(share: float | None) -> int:
    """1 from a share below one half, else -1."""
    return 1 if share is not None and share < 0.5 else -1


def _margin_at_difference(margin: Margin, change: float, share: float | None) -> Margin:
    if share is None or not 0 < share < 1:
        return margin
    other = share + change
    # Of the two scores one stays where it is, and the other's answers vary as those of a share so far off do.
    return replace(margin, items=margin.items * (1 + other * (1 - other) / (share * (1 - share))) / 2)


def _detection_power(difference: float, margin: Margin, level: float, within: float) -> float:
    """How often the interval leaves zero out, and that of an equivalence test reaches out of `within`: the mean over what the
    seeds' variance may be estimated as."""
    spread = np.sqrt(margin.seeds + margin.items + margin.other_seeds)
    seeds, others = (
        _estimated_variances(margin.seeds, margin.seed_freedom),
        _estimated_variances(margin.other_seeds, margin.other_freedom),
    )
    margins = replace(margin, seeds=seeds[:, None], other_seeds=others)  # each of the one with each of the other
    least = margins.half_width(level)
    if within:
        least = np.maximum(least, within - margins.half_width(EQUIVALENCE))
    if not spread:
        # Nothing varies, so that a difference is found always or never.
        return float(difference > least)
    return float(ndtr((difference - least) / spread).mean())


def _estimated_variances(variance: float | Floats, freedom: float | Floats) -> Floats:
    """What a variance over seeds may be estimated as."""
    return variance * (_variance_ratios(float(freedom)) if variance else np.ones(1))


@lru_cache
def _variance_ratios(freedom: float) -> Floats:
    """(GRID,): an estimated variance by the true one, at evenly spaced quantiles."""
    return np.asarray(chdtri(freedom, (np.arange(GRID) + 0.5) / GRID) / freedom)

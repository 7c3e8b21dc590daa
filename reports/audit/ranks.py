"""The places that rows may have, and how surprising what they lost is, once more: in plain loops, from the answers alone.

All pairs of a column's rows are looked at together, and so are one row's probes (Holm 1979). Formulas: docs/method/scores.md.
"""

import json
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from bench.records.record import Record
from reports.audit.leaving_out import (
    LeftOut,
    SeedVariance,
    beyond_rest,
    covariance,
    items_variance,
    mean_of,
    means_variance,
    own_variance,
    seeds_part,
)
from reports.audit.reading import Numbers, Path, column_texts, part

CHANCE = 0.05
POOLED_UP_TO = 4
"""Up to so many, two rows are held against each other with the seed variance of their whole table."""
SMALLEST_MOVE = 1e-5
"""A standard error, in the number's own unit: sums of numbers around 3 are known to 4e-16, and p is to be known to 1e-9."""
LEAST_EXPONENT = -16.0
"""Of a p, as a power of ten."""

Varying = tuple[float, float]
"""A variance and its degrees of freedom."""


@dataclass(frozen=True)
class Rival:
    """A row's number in one column: its runs, one per seed, how far a seed moves it, and which items they are of."""

    runs: Sequence[LeftOut]
    seeds: SeedVariance
    asked: Hashable

    @property
    def value(self) -> float:
        return mean_of(self.runs)

    @cached_property
    def items(self) -> float:
        """Its variance over items, which each pair of rows asks for."""
        return items_variance(self.runs)


def items_asked(record: Record, items: pd.DataFrame) -> dict[Path, Hashable]:
    """Which items the score, and each probe's loss, are of: their names, what belongs together, and what the data are.

    Nothing of an import, whose rows have places by the intervals that came with them.
    """
    if record.provenance.source:
        return {}
    task = part(items, "task")
    questions: dict[Path, Hashable] = {}
    # Where the base's answers were lost, the tables take the record's own bounds.
    if column_texts(task, "before"):
        questions["score",] = (record.provenance.data_hash, *_names(task))
    for shape, _ in record.provenance.inputs.get("probes", []):
        named = part(items, "probe", shape["name"])
        questions["forgetting", shape["name"]] = (json.dumps(shape, sort_keys=True), *_names(named))
    return questions


def _names(items: pd.DataFrame) -> Sequence[Hashable]:
    clusters = map(str, items["cluster"]) if "cluster" in items else ()
    return (*map(str, items["item"]), *clusters) if "item" in items else ()


def places_of(rivals: Mapping[str, Rival], higher_is_better: bool) -> Numbers:
    """The best and the worst place of each row, by its name; none where two rows did not answer the same items."""
    names = list(rivals)
    if len({rivals[name].asked for name in names}) > 1:
        return {}
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    surprise = holm_by_steps([_p_of_pair(rivals[one], rivals[other]) for one, other in pairs])
    above, below = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for (one, other), p in zip(pairs, surprise, strict=True):
        if p <= CHANCE:
            better, worse = (one, other) if (rivals[one].value > rivals[other].value) == higher_is_better else (other, one)
            above[worse], below[better] = above[worse] + 1, below[better] + 1
    held: Numbers = {("places", name, "best"): 1.0 + above[name] for name in names}
    return held | {("places", name, "worst"): float(len(names) - below[name]) for name in names}


def p_of_row(row: Rival) -> float:
    """How surprising the row's number is if the truth is 0, looked at by itself."""
    seeds = seeds_part(row.runs, row.seeds)
    items = row.items or (0.0 if seeds.variance else means_variance(row.runs))
    return _p(row.value, (items, row.runs[0].freedom), (seeds.variance, seeds.freedom))


def moves_by_rounding(row: Rival) -> bool:
    """Whether the number moves by so little that the last digits of the answers' sums would move its p."""
    return 0 < row.items + seeds_part(row.runs, row.seeds).variance < SMALLEST_MOVE**2


def holm_by_steps(ps: Sequence[float]) -> list[float]:
    """Each p corrected for how many are looked at: the smallest times all of them, the next times one less."""
    corrected, largest = [0.0] * len(ps), 0.0
    for step, place in enumerate(sorted(range(len(ps)), key=lambda place: ps[place])):
        largest = max(largest, ps[place] * (len(ps) - step))
        corrected[place] = min(largest, 1.0)
    return corrected


def variances_of_pair(one: Rival, other: Rival) -> tuple[Varying, Sequence[Varying]]:
    """What the difference of two rows varies by over items, and over seeds: of both together, or of each where their seeds do
    something else."""
    own = one.items + other.items
    items = beyond_rest(own - 2 * covariance(one.runs, other.runs), own)
    freedom = min(one.runs[0].freedom, other.runs[0].freedom)
    rows, counts = (one, other), (len(one.runs), len(other.runs))
    if one.seeds != other.seeds:
        # A seed that trains and one that chooses examples move numbers each in its own way.
        return (items, freedom), [_alone(row) for row in rows]
    if min(counts) > POOLED_UP_TO:
        seeds = (math.fsum(own_variance(row.runs) / len(row.runs) for row in rows), float(sum(counts) - 2))
    else:
        seeds = (math.fsum(one.seeds.variance / count for count in counts), float(one.seeds.freedom))
    # Equal scores of runs that err on different items move with the items all the same.
    moving = items or (0.0 if seeds[0] else means_variance(one.runs, other.runs))
    return (moving, freedom), [seeds]


def _p_of_pair(one: Rival, other: Rival) -> float:
    items, seeds = variances_of_pair(one, other)
    return _p(one.value - other.value, items, *seeds)


def _alone(row: Rival) -> Varying:
    count = len(row.runs)
    if count > POOLED_UP_TO:
        return own_variance(row.runs) / count, count - 1.0
    return row.seeds.variance / count, float(row.seeds.freedom)


def _p(difference: float, items: Varying, *seeds: Varying) -> float:
    """The level at which the interval just reaches zero; not below 2^(1 - n) where all n items move alike."""
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    varying = [(variance, freedom) for variance, freedom in (items, *seeds) if variance > 0]

    def beyond(exponent: float) -> float:
        """By how much an interval of this level, a power of ten, holds zero."""
        half = math.hypot(*(math.sqrt(variance) * stdtrit(freedom, 10.0**exponent / 2) for variance, freedom in varying))
        return half - abs(difference)

    if difference == 0:
        return 1.0
    # What even the widest interval leaves out is as surprising as can be told.
    level = float(brentq(beyond, LEAST_EXPONENT, 0.0, xtol=1e-14)) if beyond(LEAST_EXPONENT) > 0 else LEAST_EXPONENT
    return max(10.0**level, 0.0 if items[0] else 2.0 ** -items[1])

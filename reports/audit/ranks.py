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
from reports.audit.item_columns import Numbers, Path, column_texts, part
from reports.audit.leaving_out import (
    LeftOut,
    SeedVariance,
    beyond_rest,
    clusters_of_items,
    covariance,
    items_variance,
    least_freedom,
    mean_of,
    means_variance,
    own_variance,
    seeds_part,
)

CHANCE = 0.05
POOLED_UP_TO = 4
"""Up to so many, two rows are held against each other with the seed variance of their whole table."""
SMALLEST_MOVE = 1e-5
"""A standard error, in the number's own unit: sums of numbers around 3 are known to 4e-16, and p is to be known to 1e-9."""
MOST_ROWS = 40
"""Of a table that tells the differences of all its pairs."""
LEAST_EXPONENT = -16.0
"""Of a p, as a power of ten."""

Varying = tuple[float, float]
"""A variance and its degrees of freedom."""


@dataclass(frozen=True)
class Rival:
    """A row's number in one column: its runs, one per seed, how far a seed moves it, and which items they are of."""

    runs: Sequence[LeftOut]
    seeds: SeedVariance
    question: Hashable

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
        questions["score",] = (record.provenance.data_hash, *_named_items(task))
    for shape, _ in record.provenance.inputs.get("probes", []):
        named = part(items, "probe", shape["name"])
        questions["forgetting", shape["name"]] = (json.dumps(shape, sort_keys=True), *_named_items(named))
    return questions


def _named_items(items: pd.DataFrame) -> Sequence[Hashable]:
    """Of each item its name, and the place of the first item that belongs to it: clusters may have got other names."""
    if "item" not in items:
        return ()
    first: dict[Hashable, int] = {}
    return (*map(str, items["item"]), *(first.setdefault(label, place) for place, label in enumerate(clusters_of_items(items))))


@dataclass(frozen=True)
class HeldPair:
    """Two rows' names, the first's number minus the second's, and how far that may be by chance."""

    one: str
    other: str
    value: float
    half: float
    """Of its 95 % interval."""
    p: float
    """Among all pairs of the column."""
    by_rounding: bool
    """Whether it moves by so little that last digits would move its p."""


def pairs_of(rivals: Mapping[str, Rival]) -> list[HeldPair]:
    """All pairs of a column's rows, which answered the same items."""
    names = list(rivals)
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    apart = [rivals[one].value - rivals[other].value for one, other in pairs]
    parts = [variances_of_pair(rivals[one], rivals[other]) for one, other in pairs]
    ps = holm_by_steps([_p_by_root_finding(value, items, *seeds) for value, (items, seeds) in zip(apart, parts, strict=True)])
    return [
        HeldPair(*pair, value, _half_width_at((items, *seeds), CHANCE), p, _moves_too_little(items, *seeds))
        for pair, value, p, (items, seeds) in zip(pairs, apart, ps, parts, strict=True)
    ]


def told_of_pairs(pairs: Sequence[HeldPair]) -> Numbers:
    """Differences, their intervals and their p; in a large table of the first row's pairs alone."""
    rows = {name for pair in pairs for name in (pair.one, pair.other)}
    numbers: Numbers = {}
    for pair in pairs:
        if len(rows) <= MOST_ROWS or pair.one == pairs[0].one:
            by_name = {"value": pair.value, "ci_low": pair.value - pair.half, "ci_high": pair.value + pair.half, "paired": 1.0}
            by_name |= {} if pair.by_rounding else {"p": pair.p}
            numbers |= {("pairs", f"{pair.one} - {pair.other}", name): number for name, number in by_name.items()}
    return numbers


def places_of(names: Sequence[str], pairs: Sequence[HeldPair], higher_is_better: bool) -> Numbers:
    """The best and the worst place of each row, by its name."""
    above, below = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for pair in pairs:
        if pair.p <= CHANCE:
            better, worse = (pair.one, pair.other) if (pair.value > 0) == higher_is_better else (pair.other, pair.one)
            above[worse], below[better] = above[worse] + 1, below[better] + 1
    best: Numbers = {("places", name, "best"): 1.0 + above[name] for name in names}
    return best | {("places", name, "worst"): float(len(names) - below[name]) for name in names}


def variances_of_row(row: Rival) -> tuple[Varying, Varying]:
    """What the row's number varies by over items, and over seeds."""
    seeds = seeds_part(row.runs, row.seeds)
    items = row.items or (0.0 if seeds.variance else means_variance(row.runs))
    return (items, least_freedom(row.runs)), (seeds.variance, seeds.freedom)


def p_of_row(row: Rival) -> float:
    """How surprising the row's number is if the truth is 0, looked at by itself."""
    return _p_by_root_finding(row.value, *variances_of_row(row))


def moves_by_rounding(row: Rival) -> bool:
    """Whether the number moves by so little that the last digits of the answers' sums would move its p."""
    return _moves_too_little((row.items, 0.0), (seeds_part(row.runs, row.seeds).variance, 0.0))


def holm_by_steps(ps: Sequence[float]) -> list[float]:
    """Each p corrected for how many are looked at: the smallest times all of them, the next times one less."""
    corrected, largest = [0.0] * len(ps), 0.0
    for step, place in enumerate(sorted(range(len(ps)), key=lambda place: ps[place])):
        largest = max(largest, ps[place] * (len(ps) - step))
        corrected[place] = min(largest, 1.0)
    return corrected


def variances_of_pair(one: Rival, other: Rival) -> tuple[Varying, Sequence[Varying]]:
    """What the difference of two rows varies by over items, and over seeds: of both together, or of each where their seeds do
    something else or are many and not equally many."""
    own = one.items + other.items
    items = beyond_rest(own - 2 * covariance(one.runs, other.runs), own)
    freedom = min(least_freedom(one.runs), least_freedom(other.runs))
    rows, counts = (one, other), (len(one.runs), len(other.runs))
    if one.seeds != other.seeds:
        # A seed that trains and one that chooses examples move numbers each in its own way.
        seeds = [_own_seeds(row) for row in rows]
    elif min(counts) <= POOLED_UP_TO:
        seeds = [(math.fsum(one.seeds.variance / count for count in counts), float(one.seeds.freedom))]
    elif counts[0] == counts[1]:
        seeds = [(math.fsum(own_variance(row.runs) / len(row.runs) for row in rows), float(sum(counts) - 2))]
    else:
        # What is known by more seeds stands first, since parts are averaged over pairs by their places.
        seeds = [_own_seeds(row) for row in sorted(rows, key=lambda row: -len(row.runs))]
    # Equal scores of runs that err on different items move with the items all the same.
    moving = items or (0.0 if any(variance for variance, _ in seeds) else means_variance(one.runs, other.runs))
    return (moving, freedom), seeds


def _own_seeds(row: Rival) -> Varying:
    count = len(row.runs)
    if count > POOLED_UP_TO:
        return own_variance(row.runs) / count, count - 1.0
    return row.seeds.variance / count, float(row.seeds.freedom)


def _p_by_root_finding(difference: float, items: Varying, *seeds: Varying) -> float:
    """The level at which the interval just reaches zero; not below 2^(1 - n) where all n items move alike."""
    from scipy.optimize import brentq

    def beyond(exponent: float) -> float:
        """By how much an interval of this level, a power of ten, holds zero."""
        return _half_width_at((items, *seeds), 10.0**exponent) - abs(difference)

    if difference == 0:
        return 1.0
    # What even the widest interval leaves out is as surprising as can be told.
    level = float(brentq(beyond, LEAST_EXPONENT, 0.0, xtol=1e-14)) if beyond(LEAST_EXPONENT) > 0 else LEAST_EXPONENT
    return max(10.0**level, 0.0 if items[0] else 2.0 ** -items[1])


def _moves_too_little(*parts: Varying) -> bool:
    return 0 < sum(variance for variance, _ in parts) < SMALLEST_MOVE**2


def _half_width_at(parts: Sequence[Varying], level: float) -> float:
    """Half the width of an interval, at an error of `level`."""
    from scipy.special import stdtrit

    return math.hypot(
        *(math.sqrt(variance) * float(stdtrit(freedom, level / 2)) for variance, freedom in parts if variance > 0)
    )

"""Which rows nothing beats in gain against what they pay, and in what share of redrawn tables, once more: in plain loops.

A row beats another if it gains at least as much for at most the same price, and is better in one of the two. A draw moves all
rows of a column over items together, by the symmetric root of their correlations, and each over seeds by itself. Random
numbers are those that the tables take. Formulas: docs/method/costs.md.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reports.audit.item_columns import Numbers
from reports.audit.leaving_out import beyond_rest, covariance, variance_of
from reports.audit.ranks import Rival, variances_of_row

if TYPE_CHECKING:
    import numpy as np

TABLES_DRAWN = 1_000
SAME_PLACE = 1e-12
"""Numbers that are no farther apart, relative to their size above 1, are level."""

OfRows = Mapping[str, float]
"""By row."""
CostsOfRuns = Mapping[str, Sequence[float]]
"""By row, one for each of its seeds."""


def frontier_of(gains: Mapping[str, Rival], losses: Mapping[str, Rival]) -> Numbers:
    """Whether each row is on the frontier of gain against loss, and its share of draws. The base competes too, which gains and
    loses nothing."""
    import numpy as np

    # Sorted as the tables sort them, so that each row takes the random numbers that it takes there.
    names, generator = sorted(gains), np.random.default_rng(0)
    columns = [_drawn_numbers([column[name] for name in names], generator) for column in (gains, losses)]
    shares = _unbeaten_shares([*names, ""], *([[*draw, 0.0] for draw in column] for column in columns))
    now = _unbeaten_rows(*({name: column[name].value for name in names} | {"": 0.0} for column in (gains, losses)))
    numbers: Numbers = {("frontier", name): float(name in now) for name in names}
    return numbers | {("frontier_share", name): shares[name] for name in names}


def frugal_of(gains: Mapping[str, Rival], costs: CostsOfRuns) -> Numbers:
    """In what share of draws no row gains as much for as little of a cost."""
    return {("frugal", name): share for name, share in _shares_at_cost(gains, costs, sign=1.0).items()}


def sparing_of(losses: Mapping[str, Rival], costs: CostsOfRuns) -> Numbers:
    """In what share of draws no row loses as little for as little of a cost."""
    return {("sparing", name): share for name, share in _shares_at_cost(losses, costs, sign=-1.0).items()}


def _shares_at_cost(rows: Mapping[str, Rival], costs: CostsOfRuns, sign: float) -> dict[str, float]:
    import numpy as np

    names, generator = sorted(rows), np.random.default_rng(0)
    # With the sign a loss becomes what there should be much of.
    drawn = [[sign * number for number in draw] for draw in _drawn_numbers([rows[name] for name in names], generator)]
    return _unbeaten_shares(names, drawn, _drawn_costs([costs[name] for name in names], generator))


def _drawn_costs(rows: Sequence[Sequence[float]], generator: "np.random.Generator") -> list[list[float]]:
    """TABLES_DRAWN times the rows' mean costs: each as many times as dear as a draw of Student's distribution has it, by its
    own relative variance over seeds or by all rows', whichever is more. What each seed cost alike stays."""
    means = [math.fsum(row) / len(row) for row in rows]
    relative = [variance_of(row) / mean**2 if len(row) > 1 else 0.0 for row, mean in zip(rows, means, strict=True)]
    freedom = sum(len(row) - 1 for row in rows)
    common = math.fsum(own * (len(row) - 1) for own, row in zip(relative, rows, strict=True)) / freedom if freedom else 0.0
    columns = []
    for row, mean, own in zip(rows, means, relative, strict=True):
        deviation = math.sqrt(max(own, common) / len(row))
        # The same number thrice may vary in its last digit.
        drawn = deviation > SAME_PLACE
        times = generator.standard_t(freedom, TABLES_DRAWN).tolist() if drawn else [0.0] * TABLES_DRAWN
        columns.append([mean * math.exp(deviation * time) for time in times])
    return [list(draw) for draw in zip(*columns, strict=True)]


def same_number(one: float, other: float) -> bool:
    """Whether two numbers are the same but for rounding."""
    return abs(one - other) <= SAME_PLACE * max(1.0, abs(one))


def _unbeaten_rows(gains: OfRows, prices: OfRows) -> set[str]:
    def beats(other: str, one: str) -> bool:
        more = not same_number(gains[one], gains[other]) and gains[other] > gains[one]
        less = not same_number(prices[one], prices[other]) and prices[other] < prices[one]
        as_much = more or same_number(gains[one], gains[other])
        as_little = less or same_number(prices[one], prices[other])
        return as_much and as_little and (more or less)

    # Most rows that are beaten are beaten by the one that gains most.
    first = sorted(gains, key=lambda name: -gains[name])
    return {name for name in gains if not any(beats(other, name) for other in first)}


def _unbeaten_shares(
    names: Sequence[str], gains: Sequence[Sequence[float]], prices: Sequence[Sequence[float]]
) -> dict[str, float]:
    times = dict.fromkeys(names, 0)
    for gain, price in zip(gains, prices, strict=True):
        for name in _unbeaten_rows(dict(zip(names, gain, strict=True)), dict(zip(names, price, strict=True))):
            times[name] += 1
    return {name: count / TABLES_DRAWN for name, count in times.items()}


def _drawn_numbers(rows: Sequence[Rival], generator: "np.random.Generator") -> list[list[float]]:
    """TABLES_DRAWN times the rows' numbers as they might have been."""
    parts = [variances_of_row(row) for row in rows]
    over_seeds = [
        generator.standard_t(freedom, TABLES_DRAWN) * math.sqrt(variance) if variance else [0.0] * TABLES_DRAWN
        for _, (variance, freedom) in parts
    ]
    spreads = [math.sqrt(variance) for (variance, _), _ in parts]
    over_items = generator.standard_normal((TABLES_DRAWN, len(rows))) @ _root_without_rounding(_correlations(rows, spreads))
    return [
        [
            row.value + float(seeds[draw]) + spread * float(items)
            for row, seeds, spread, items in zip(rows, over_seeds, spreads, over_items[draw], strict=True)
        ]
        for draw in range(TABLES_DRAWN)
    ]


def _correlations(rows: Sequence[Rival], spreads: Sequence[float]) -> list[list[float]]:
    """Over items, of the rows' numbers; nothing with a row that does not vary."""

    def between(one: int, other: int) -> float:
        size = spreads[one] * spreads[other]
        # Rows that did not answer the same items move apart.
        if not size or rows[one].question != rows[other].question:
            return 0.0
        # Both are estimates, of which chance can make the one larger than the other allows.
        return max(-1.0, min(1.0, covariance(rows[one].runs, rows[other].runs) / size))

    places = range(len(rows))
    upper = {(one, other): between(one, other) for one in places for other in places if one < other}
    return [[float(spreads[i] > 0) if i == j else upper[min(i, j), max(i, j)] for j in places] for i in places]


def _root_without_rounding(matrix: Sequence[Sequence[float]]) -> "np.typing.NDArray[np.float64]":
    """The symmetric root, without axes along which a variance is negative, as estimates may have it, or nothing but rounding;
    its columns are as long as a row's variance of 1."""
    import numpy as np
    from scipy.linalg import eigh

    sizes, axes = eigh(np.array(matrix))
    kept = [beyond_rest(float(size), float(sizes[-1])) for size in sizes]
    root = np.zeros_like(axes)
    for size, axis in zip(kept, axes.T, strict=True):
        root += math.sqrt(size) * np.outer(axis, axis)
    return np.array([column / (math.hypot(*column) or 1.0) for column in root.T]).T

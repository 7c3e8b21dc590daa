"""Gain, not score, and forgetting at equal cost, from the same runs: along the curves that `--probe-every` measured.

Seconds and FLOPs are spent evenly over a run's examples, so that a place on its curve has a cost. The equal cost of a table is
the least that any of its training rows spent; dearer rows are read where they had spent as much, by linear interpolation.
By every cost rows are also held against each other by what they gain for it in all, and by memory and saved bytes, which are
not spent on the way, by what they forget for it too. Their gains are over one base: see one_base.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from bench.records.outcome import Point
from bench.records.record import Cost
from bench.statistics.draws import DRAWS, redrawn, redrawn_costs, unbeaten_share
from bench.statistics.estimates import Bounds, Estimate, margin_over_seeds
from bench.statistics.ratios import cost_ratio
from reports.rows.environments import one_machine
from reports.rows.means import common_places
from reports.rows.row import Row

Take = Callable[[Cost], float | None]
OfPoint = Callable[[Point], float | None]
SPENT: dict[str, Take] = {"training": lambda cost: cost.train_seconds, "flops": lambda cost: cost.train_flops}
"""Term of definitions.yaml -> what a run spends on its way."""
HELD: dict[str, Take] = {
    "memory": lambda cost: cost.peak_memory_bytes,
    "saved": lambda cost: cost.saved_bytes,
}
"""What it takes as a whole."""
ONE_MACHINE_S = ("training", "memory")
"""Terms whose costs are measured and not counted, and so comparable within one machine alone."""
MEASURED = [(SPENT | HELD)[term] for term in ONE_MACHINE_S]


def with_gain(rows: Sequence[Row]) -> list[Row]:
    """Those that train and have a gain, which a cost may have bought."""
    return [row for row in rows if row.trains and row.gain]


def with_cost(rows: Sequence[Row], take: Take) -> list[tuple[Row, Estimate, list[float]]]:
    """Those of them that know the cost, each with its gain and with what each of its runs cost."""
    return [(row, row.gain, costs) for row in with_gain(rows) if row.gain and (costs := row.spent(take))]


def comparable_costs(rows: Sequence[Row], takes: Mapping[str, Take]) -> dict[str, Take]:
    """Those of the costs by which these rows can be held against each other."""
    # An hour of one machine may be a minute of another's.
    left_out = () if one_machine(*rows) else ONE_MACHINE_S
    return {term: take for term, take in takes.items() if term not in left_out}


def equal_cost(rows: Sequence[Row], take: Take) -> float | None:
    """The least that any row that trains spent in all; None where fewer than two rows say what they spent."""
    spent = [value for row in rows if row.trains and row.cost and (value := take(row.cost))]
    return min(spent) if len(spent) > 1 else None


def at_cost(row: Row, take: Take, cost: float, value: OfPoint, start: float = 0.0) -> float | None:
    """What `value` says of the row where it had spent that much, from `start` on; None where its curve ends before."""
    return _read_at(row, take, cost, [value(point) for point in row.curve], start)


def half_widths_at_cost(rows: Sequence[Row], take: Take, cost: float, value: OfPoint) -> Mapping[str, float]:
    """Label -> half the 95 % interval of `at_cost`, over other seeds on the same validation items: no answers are kept on the
    way, which could say how far items move it. Empty where no row has two seeds."""
    known = {row.label: numbers for row in rows if (numbers := list(_runs_at_cost(row, take, cost, value)))}
    # Seeds of a row that collapsed hardly vary, or by far more than others': see `spreads.SeedSpreads`.
    sound = [known[row.label] for row in rows if row.label in known and not row.collapsed]
    table = sound if any(len(numbers) > 1 for numbers in sound) else list(known.values())
    margins = {label: margin_over_seeds(numbers, table) for label, numbers in known.items()}
    return {label: float(margin.half_width()) for label, margin in margins.items() if margin}


def _runs_at_cost(row: Row, take: Take, cost: float, value: OfPoint) -> Iterator[float]:
    """Of each run by itself, where the row had spent that much, so that their mean is the row's number; a start that all of
    them share moves it and not what it varies by."""
    for points in zip(*common_places([run.outcome for run in row.records if run.outcome]), strict=True):
        number = _read_at(row, take, cost, [value(point) for point in points], 0.0)
        if number is not None:
            yield number


def _read_at(row: Row, take: Take, cost: float, values: Sequence[float | None], start: float) -> float | None:
    """Along the row's curve, whose points have these values."""
    whole = take(row.cost) if row.cost else None
    examples = row.cost.train_examples if row.cost else None
    if not whole or not examples:
        return None
    curve = [(whole * point.examples / examples, measured) for point, measured in zip(row.curve, values, strict=True)]
    places = [(0.0, start), *((spent, measured) for spent, measured in curve if measured is not None)]
    for (s0, v0), (s1, v1) in pairwise(places):
        # A hair more than the last place is that place: shares of a cost are rounded.
        if s0 < cost <= s1 * (1 + 1e-9):
            return v0 + (v1 - v0) * min((cost - s0) / (s1 - s0), 1.0)
    return None


def frugal_shares(rows: Sequence[Row], take: Take) -> Mapping[str, float]:
    """Label -> in what share of redrawn tables no row gains as much for as little of a cost."""
    return _unbeaten_for_cost(with_cost(rows, take), take, sign=1.0)


def with_loss(rows: Sequence[Row], take: Take, probe: str) -> list[tuple[Row, Estimate, list[float]]]:
    """Those of `with_cost` that lost something of a probe, or gained: each with that and with the costs. None where they lost
    it in unlike units."""
    costs = {row.label: of_runs for row, _, of_runs in with_cost(rows, take)}
    asked = [row for row in rows if row.label in costs and probe in row.forgetting]
    if len({row.forgetting[probe].quantity for row in asked}) > 1:
        return []
    return [(row, row.forgetting[probe].lost, costs[row.label]) for row in asked]


def sparing_shares(rows: Sequence[Row], take: Take, probe: str) -> Mapping[str, float]:
    """Label -> in what share of redrawn tables no row forgets as little of a probe for as little of a cost."""
    return _unbeaten_for_cost(with_loss(rows, take, probe), take, sign=-1.0)


def _unbeaten_for_cost(paid_for: Sequence[tuple[Row, Estimate, list[float]]], take: Take, sign: float) -> Mapping[str, float]:
    """Of rows with what came for a cost, more of which is better with the sign 1, and less with -1; nothing where there are not
    two, where some row's number has no interval, or where the cost is measured and no row has a second seed."""
    # The same rows get the same draws, in whatever order they come.
    paying = sorted(paid_for, key=lambda each: each[0].label)
    # Each would be taken for certain, as a distance from the base, or seconds of one seed: a hundredth of one more would make a
    # row the dearer one in each draw.
    unsure = any(number.low is None for _, number, _ in paying)
    unsure |= take in MEASURED and all(len(of_runs) < 2 for *_, of_runs in paying)
    if len(paying) < 2 or unsure:
        return {}
    generator = np.random.default_rng(0)
    came = redrawn([estimate for _, estimate, _ in paying], DRAWS, generator)
    costs = redrawn_costs([of_runs for _, _, of_runs in paying], DRAWS, generator)
    shares = unbeaten_share(sign * came, costs)
    return {row.label: float(share) for (row, _, _), share in zip(paying, shares, strict=True)}


def times_the_least(rows: Sequence[Row], take: Take) -> Mapping[str, tuple[float, Bounds | None]]:
    """Label -> a training row's mean cost over seeds, in multiples of that of the row that took the least."""
    spent = {row.label: row.spent(take) for row in rows if row.trains}
    known_costs = {label: values for label, values in spent.items() if values}
    if len(known_costs) < 2:
        return {}
    least = min(known_costs, key=lambda label: float(np.mean(known_costs[label])))
    table = list(known_costs.values())
    # A row held against itself is exactly as dear.
    return {
        label: (1.0, None) if label == least else cost_ratio(values, known_costs[least], table)
        for label, values in known_costs.items()
    }

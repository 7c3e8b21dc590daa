"""The page's tables at equal cost: gain and forgetting where all rows had spent the same, and who gains most, or forgets least,
for the least."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bench.records.outcome import Point
from reports.boards.cells import EMPTY, STRATEGY, Board, Cell, Column, Direction, Section, sortable, without_empty
from reports.definitions import defined
from reports.rows import numbers
from reports.rows.equal_cost import (
    HELD,
    ONE_MACHINE_S,
    SPENT,
    OfPoint,
    Take,
    at_cost,
    comparable_costs,
    equal_cost,
    frugal_shares,
    half_widths_at_cost,
    sparing_shares,
    times_the_least,
    with_gain,
)
from reports.rows.frontier import lost_at_start
from reports.rows.numbers import Quantity
from reports.rows.one_base import BEST_WORDS, on_one_base, one_base
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names

WRITTEN: dict[str, Callable[[float], str]] = {
    "training": lambda value: f"{numbers.seconds(value)} s",
    "flops": lambda value: f"{numbers.scaled(value)}FLOPs",
}
ONE_SEED_EACH = (
    "One seed: all of this is about these trained models. How far another seed moves seconds and memory is not known, so that "
    "who gains most, or forgets least, is told for counted costs alone."
)


def equal_cost_section(rows: Sequence[Row]) -> Section:
    """A table per model and task; a column that has nothing to show is not there."""
    groups = {f"{model} on {task}": with_gain(group) for (_, model, task), group in grouped(rows).items()}
    boards = {title: _equal_cost_board(on_one_base(gaining)) for title, gaining in groups.items()}
    # One row is equal to nobody, and without curves or costs there is no column.
    tables = [(title, board) for title, board in boards.items() if len(board.columns) > 1 and len(board.lines) > 1]
    told = [f"{title}: {BEST_WORDS}" for title, _ in tables if not one_base(groups[title])]
    told += [f"{title}: {ONE_SEED_EACH}" for title, _ in tables if all(len(row.records) < 2 for row in groups[title])]
    return Section("At equal cost", tables, told, ("at_equal_cost", "frugal", "sparing", "times_the_least"))


def _equal_cost_board(rows: Sequence[Row]) -> Board:
    costs = comparable_costs(rows, SPENT | HELD)
    columns = [column for term in SPENT if term in costs for column in _columns_at_cost(rows, term, costs[term])]
    columns += [_frugal_column(rows, term, take) for term, take in costs.items()]
    # What is spent on the way has forgetting at equal cost along the curves.
    held = {term: take for term, take in costs.items() if term in HELD}
    columns += [_sparing_column(rows, probe, term, take) for probe in probe_names(rows) for term, take in held.items()]
    # Counted FLOPs and bytes stand in the wide table, and need no interval.
    columns += [_times_the_least_column(rows, term, take) for term, take in costs.items() if term in ONE_MACHINE_S]
    return without_empty([STRATEGY, *columns], rows)


def _columns_at_cost(rows: Sequence[Row], term: str, take: Take) -> list[Column]:
    cost = equal_cost(rows, take)
    if cost is None:
        return []
    group = f"At {WRITTEN[term](cost)}"
    probes = probe_names(rows)

    def column(name: str, quantity: Quantity, value: OfPoint, start: Callable[[Row], float]) -> Column:
        halves = half_widths_at_cost(rows, take, cost, value)
        at = {row.label: at_cost(row, take, cost, value, start(row)) for row in rows}
        return _column_at_cost(group, name, quantity, {label: (number, halves.get(label)) for label, number in at.items()})

    gain = column("Gain", rows[0].quantity, lambda point: point.gain, lambda row: row.start)
    losses = [
        column(probe, quantity, partial(_lost_on_the_way, probe), partial(lost_at_start, probe=probe))
        for probe, quantity in probes.items()
    ]
    return [gain, *losses]


def _lost_on_the_way(probe: str, point: Point) -> float | None:
    return point.forgetting.get(probe)


def _column_at_cost(
    group: str, name: str, quantity: Quantity, by_label: Mapping[str, tuple[float | None, float | None]]
) -> Column:
    """Of each row's label the number, and half its interval."""

    def written(number: float) -> str:
        return numbers.difference(number, quantity)

    def cell(row: Row) -> Cell:
        number, half = by_label[row.label]
        if number is None:
            return EMPTY
        bounds = None if half is None else (number - half, number + half)
        return Cell(written(number), sortable(number), numbers.bracketed(bounds, written))

    # All columns but the gain are losses, of which the least is the best.
    first: Direction = "descending" if name == "Gain" else "ascending"
    return Column("at_equal_cost", group, quantity.unit, first, True, cell, name)


def _frugal_column(rows: Sequence[Row], term: str, take: Take) -> Column:
    return _column_of_draws("frugal", "Gains most for its cost", defined(term).title, frugal_shares(rows, take))


def _sparing_column(rows: Sequence[Row], probe: str, term: str, take: Take) -> Column:
    shares = sparing_shares(rows, take, probe)
    return _column_of_draws("sparing", f"Forgets least of {probe} for its cost", defined(term).title, shares)


def _column_of_draws(term: str, group: str, name: str, shares: Mapping[str, float]) -> Column:
    def cell(row: Row) -> Cell:
        share = shares.get(row.label)
        return EMPTY if share is None else Cell(numbers.percent(share), share)

    return Column(term, group, "of draws", "descending", True, cell, name)


def _times_the_least_column(rows: Sequence[Row], term: str, take: Take) -> Column:
    multiples = times_the_least(rows, take)

    def cell(row: Row) -> Cell:
        if row.label not in multiples:
            return EMPTY
        value, bounds = multiples[row.label]
        return Cell(numbers.multiple(value), sortable(value), numbers.bracketed(bounds, numbers.multiple))

    return Column("times_the_least", "Times the least", "of means over seeds", "ascending", True, cell, defined(term).title)

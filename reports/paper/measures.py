"""What a paper's table may show of a row, by the names that `--select` takes: the score, the gain, what probes lost, costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.errors import unknown
from bench.statistics.estimates import Estimate
from reports.definitions import defined
from reports.rows import numbers
from reports.rows.numbers import Quantity
from reports.rows.one_base import one_base
from reports.rows.row import Row
from reports.rows.rows import probe_names
from reports.rows.standing import Standing, forgetting_standing, score_standing

COST_COLUMNS: dict[str, tuple[str, str, Callable[[Any], str]]] = {
    "train_seconds": ("training", "training (s)", numbers.seconds),
    "train_flops": ("flops", "FLOPs", numbers.scaled),
    "peak_memory_bytes": ("memory", "memory (GB)", numbers.gigabytes),
    "trainable_parameters": ("trainable", "trainable", numbers.scaled),
    "saved_bytes": ("saved", "saved (B)", numbers.scaled),
}
"""Fields of a record's cost by name: what defines them, their heading, and how they are written."""
FORGETTING = "forgetting"
DEFAULT_SELECTION = ("score", "gain", FORGETTING)
OF_A_PROBE = f"{FORGETTING}."


@dataclass(frozen=True)
class Measure:
    """A column: a number of each row with its interval, and how the rows stand in it."""

    name: str
    term: str
    header: str
    number: Callable[[Row], Estimate | float | None]
    text: Callable[[float], str]
    brackets: Callable[[Estimate], str] = lambda _: ""
    standing: Standing | None = None
    higher: bool = True
    unit: Callable[[float], float] = float
    """The number as a figure draws it: a difference of shares in points."""

    def __post_init__(self) -> None:
        defined(self.term)

    def value(self, row: Row) -> float | None:
        number = self.number(row)
        return number.value if isinstance(number, Estimate) else number

    def bounds(self, row: Row) -> tuple[float, float] | None:
        number = self.number(row)
        if not isinstance(number, Estimate) or number.low is None or number.high is None:
            return None
        return number.low, number.high

    def best(self, rows: Sequence[Row]) -> set[str]:
        """Run ids of the rows with the best value; none where the rows are not ranked."""
        if self.standing is None:
            return set()
        # NaN is neither the most nor the least, and would be either by its place. A number without an interval has no place.
        ranked = [row for row in rows if self.standing.of(row)]
        known = {row.first.run_id: value for row in ranked if numbers.finite(value := self.value(row)) and value is not None}
        ahead = (max if self.higher else min)(known.values(), default=None)
        return {run_id for run_id, value in known.items() if value == ahead}

    def tied(self, rows: Sequence[Row]) -> set[str]:
        """Of those that are not best, and than which all the same none is better by more than chance."""
        places = {row.first.run_id: self.standing.of(row) for row in rows} if self.standing else {}
        return {run_id for run_id, place in places.items() if place and place[0] == 1} - self.best(rows)


def check_selection(names: Sequence[str]) -> None:
    """Raise UserError where no table has such a column; of which probes there are only the rows know."""
    for name in names:
        if name not in (*DEFAULT_SELECTION, "over_best", *COST_COLUMNS) and not name.startswith(OF_A_PROBE):
            raise unknown("column", name, {*DEFAULT_SELECTION, "over_best", f"{OF_A_PROBE}PROBE", *COST_COLUMNS})


def measures(rows: Sequence[Row], names: Sequence[str]) -> list[Measure]:
    """The columns of that name of one suite's, model's and task's rows with a score, in this order.

    Raises:
        UserError: there is no such column or probe.
    """
    check_selection(names)
    standing, probes = score_standing(rows), probe_names(rows)
    columns: list[Measure] = []
    for name in names:
        if name == "score":
            columns.append(_score_column(rows[0], standing))
        elif name in ("gain", "over_best"):
            columns.append(_gain_column(name, rows, standing))
        elif name in COST_COLUMNS:
            columns.append(_cost_column(name))
        else:
            selection = list(probes) if name == FORGETTING else [name.removeprefix(OF_A_PROBE)]
            columns += [_loss_column(rows, probe, probes) for probe in selection]
    return columns


def _score_column(row: Row, standing: Standing | None) -> Measure:
    quantity, higher = row.quantity, row.higher_is_better
    return Measure(
        "score",
        "score",
        f"{quantity.name} [95 %]",
        lambda row: row.score,
        lambda value: numbers.level(value, quantity),
        lambda number: numbers.brackets(number, quantity, signed=False),
        standing,
        higher,
    )


def _gain_column(name: str, rows: Sequence[Row], standing: Standing | None) -> Measure:
    """Where all are held against one base, they stand as their scores do; else there is no order of them."""
    # Over one base gains differ by what scores do, and so are ordered as these are.
    ordered = one_base(rows) and all(getattr(row, name) for row in rows)
    return _difference_column(
        name, name, defined(name).title, rows[0].quantity, lambda row: getattr(row, name), standing if ordered else None, True
    )


def _loss_column(rows: Sequence[Row], probe: str, probes: dict[str, Quantity]) -> Measure:
    if probe not in probes:
        raise unknown("probe", probe, probes)

    def lost(row: Row) -> Estimate | None:
        return row.forgetting[probe].lost if probe in row.forgetting else None

    standing = forgetting_standing(rows, probe)
    return _difference_column(f"{OF_A_PROBE}{probe}", FORGETTING, f"forgets {probe}", probes[probe], lost, standing, False)


def _difference_column(
    name: str,
    term: str,
    header: str,
    quantity: Quantity,
    number: Callable[[Row], Estimate | None],
    standing: Standing | None,
    higher: bool,
) -> Measure:
    return Measure(
        name,
        term,
        f"{header} ({quantity.unit}) [95 %]",
        number,
        lambda value: numbers.difference(value, quantity),
        lambda estimate: numbers.brackets(estimate, quantity, signed=True),
        standing,
        higher,
        lambda value: numbers.in_unit(value, quantity),
    )


def _cost_column(name: str) -> Measure:
    term, header, text = COST_COLUMNS[name]

    def number(row: Row) -> float | None:
        return getattr(row.cost, name) if row.cost else None

    return Measure(name, term, header, number, text)

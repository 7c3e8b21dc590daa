"""A table of the page as columns and cells: text to read, and a plain value to sort by."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.statistics.estimates import Estimate
from reports.definitions import defined
from reports.rows import numbers
from reports.rows.numbers import Quantity
from reports.rows.row import Row
from reports.rows.standing import Standing, shown

Direction = Literal["ascending", "descending"]


@dataclass(frozen=True)
class Bar:
    """An interval on the track of its column, in percent of the track; `base` is the untouched model's score."""

    low: float
    mid: float
    high: float
    base: float | None


@dataclass(frozen=True)
class Cell:
    """`value` is what the column is sorted by; None, for what is missing, comes last in either direction."""

    text: str
    value: float | str | None
    interval: str = ""
    detail: str = ""
    bar: Bar | None = None
    strong: bool = False
    """It differs from zero by more than chance."""


EMPTY = Cell(numbers.MISSING, None)


@dataclass(frozen=True)
class Column:
    """What `term` defines, of each row. `first` is the direction of the first click: best first.

    Raises:
        LookupError: nothing of that name is defined in reports/definitions.yaml.
    """

    term: str
    group: str
    note: str
    first: Direction
    numeric: bool
    cell: Callable[[Row], Cell]
    name: str = ""
    """Of the probe, task or metric, where there are columns of several; else the column is called what it shows."""
    is_name: bool = False
    """It names the row."""
    shown: bool = True
    """Whether it is there before a reader chooses columns."""

    def __post_init__(self) -> None:
        # The browser points each heading to its definition, which has to be on the page.
        defined(self.term)

    @property
    def title(self) -> str:
        return self.name or defined(self.term).title


@dataclass(frozen=True)
class Line:
    row: Row
    cells: list[Cell]


@dataclass(frozen=True)
class Board:
    columns: list[Column]
    groups: list[tuple[str, int]]
    """Headings over neighbouring columns, with the number of columns each spans."""
    lines: list[Line]


@dataclass(frozen=True)
class Section:
    """`tables` are captions with their tables."""

    title: str
    tables: list[tuple[str, Board]]
    notes: Sequence[str] = ()
    """What a reader of these tables must know, a paragraph each."""
    terms: Sequence[str] = ()
    """Names in reports/definitions.yaml of what the tables show; their meaning can be opened."""


def tabled(columns: list[Column], rows: Sequence[Row]) -> Board:
    groups: list[tuple[str, int]] = []
    for column in columns:
        if groups and groups[-1][0] == column.group:
            groups[-1] = (column.group, groups[-1][1] + 1)
        else:
            # A heading spans neighbours alone: columns of one group may stand apart.
            groups.append((column.group, 1))
    return Board(columns, groups, [Line(row, [column.cell(row) for column in columns]) for row in rows])


def without_empty(columns: list[Column], rows: Sequence[Row]) -> Board:
    """The table without columns that have nothing to show."""
    return tabled([column for column in columns if any(column.cell(row) != EMPTY for row in rows)], rows)


def words(term: str, cell: Callable[[Row], Cell], is_name: bool = False) -> Column:
    return Column(term, "", "", "ascending", False, cell, is_name=is_name)


def sortable(value: float) -> float | None:
    return value if math.isfinite(value) else None


def level_cell(estimate: Estimate, quantity: Quantity, detail: str = "", bar: Bar | None = None) -> Cell:
    text, interval = numbers.level(estimate.value, quantity), numbers.brackets(estimate, quantity, signed=False)
    # A score is never bold: it is held against no zero.
    return Cell(text, sortable(estimate.value), interval, detail, bar)


def difference_cell(estimate: Estimate, quantity: Quantity, detail: str = "") -> Cell:
    text, interval = numbers.difference(estimate.value, quantity), numbers.brackets(estimate, quantity, signed=True)
    # In the interval's unit: both go into the file that a reader downloads.
    value = sortable(numbers.in_unit(estimate.value, quantity))
    return Cell(text, value, interval, detail, strong=estimate.significant)


def rank_cell(row: Row, standings: Sequence[Standing]) -> Cell:
    """The row's places, sorted by their middle; empty where it takes none."""
    places = next((row_places for each in standings if (row_places := each.of(row))), None)
    return Cell(shown(places), sum(places) / 2) if places else EMPTY


MODEL = words("model", lambda row: Cell(row.setup.model, row.setup.model))
TASK = words("task", lambda row: Cell(row.setup.task, row.setup.task, detail=row.quantity.name))
STRATEGY = words("strategy", lambda row: Cell(row.setup.strategy, row.label, detail=row.variant), is_name=True)

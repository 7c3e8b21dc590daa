"""A table of the page as columns and cells: text to read, and a plain value to sort by."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.statistics.estimates import Estimate
from reports.rows import numbers
from reports.rows.numbers import Measure
from reports.rows.rows import Row

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
    """The interval excludes zero."""


EMPTY = Cell(numbers.MISSING, None)


@dataclass(frozen=True)
class Column:
    """`first` is the direction of the first click: best first."""

    group: str
    title: str
    note: str
    first: Direction
    numeric: bool
    cell: Callable[[Row], Cell]
    is_name: bool = False
    """It names the row."""


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
    note: str
    tables: list[tuple[str, Board]]


def tabled(columns: list[Column], rows: Sequence[Row]) -> Board:
    groups: list[tuple[str, int]] = []
    for column in columns:
        if groups and groups[-1][0] == column.group:
            groups[-1] = (column.group, groups[-1][1] + 1)
        else:
            groups.append((column.group, 1))
    return Board(columns, groups, [Line(row, [column.cell(row) for column in columns]) for row in rows])


def words(title: str, cell: Callable[[Row], Cell], is_name: bool = False) -> Column:
    return Column("", title, "", "ascending", False, cell, is_name)


def sortable(value: float) -> float | None:
    return value if math.isfinite(value) else None


def level(estimate: Estimate, measure: Measure, detail: str = "", bar: Bar | None = None) -> Cell:
    text, interval = numbers.level(estimate.value, measure), numbers.bounds(estimate, measure, signed=False)
    return Cell(text, sortable(estimate.value), interval, detail, bar)


def difference(estimate: Estimate, measure: Measure, detail: str = "") -> Cell:
    text, interval = numbers.difference(estimate.value, measure), numbers.bounds(estimate, measure, signed=True)
    return Cell(text, sortable(estimate.value), interval, detail, strong=estimate.excludes_zero)


MODEL = words("Model", lambda row: Cell(row.first.model, row.first.model))
TASK = words("Task", lambda row: Cell(row.first.task, row.first.task, detail=row.measure.name))
STRATEGY = words("Strategy", lambda row: Cell(row.first.strategy, row.label, detail=row.variant), is_name=True)

"""Tables as columns and cells: what is shown, what is sorted by, and what defines it."""

import math

import pytest

from bench.statistics.estimates import Estimate
from reports.boards.cells import MODEL, STRATEGY, Cell, Column, difference_cell, level_cell, sortable, tabled
from reports.rows.numbers import Quantity
from reports.rows.rows import aggregate

ACCURACY, LOSS = Quantity("accuracy", share=True), Quantity("loss (nats per token)", share=False)


def column(term: str, group: str = "", name: str = "") -> Column:
    return Column(term, group, "", "ascending", True, lambda row: Cell("x", 1), name)


def test_column_is_called_as_it_is_defined_or_as_what_it_is_of():
    assert (column("per_gain").title, column("forgetting", name="lambada").title) == ("Per gain", "lambada")


def test_column_that_nothing_defines_is_refused():
    with pytest.raises(LookupError, match="'nonsense' has no definition"):
        column("nonsense")


def test_neighbours_share_a_heading(make):
    board = tabled(
        [MODEL, column("gain", "Task"), column("score", "Task"), column("total", "Cost"), column("score", "Task")], []
    )
    assert board.groups == [("", 1), ("Task", 2), ("Cost", 1), ("Task", 1)]


def test_strategy_names_its_row(make):
    ((line,),) = [tabled([STRATEGY], aggregate([make.record("full")[0]])).lines]
    assert line.cells == [Cell("full", "full")] and STRATEGY.is_name and not MODEL.is_name


def test_cells_of_numbers():
    sure, unsure = Estimate(0.05, 0.01, 0.09, "items", 1), Estimate(0.05, -0.01, 0.11, "bounds", 2)
    assert difference_cell(sure, ACCURACY) == Cell("+5.0", 5.0, "[+1.0, +9.0]", strong=True)
    assert difference_cell(unsure, LOSS, "below") == Cell("+0.050", 0.05, "[-0.010, +0.110]†", "below")
    assert level_cell(sure, ACCURACY) == Cell(".050", 0.05, "[.010, .090]")


def test_what_is_not_finite_is_not_sorted_by():
    assert sortable(math.nan) is sortable(math.inf) is None and sortable(-1.5) == -1.5

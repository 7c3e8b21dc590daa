"""Tables and numbers as the page's script reads them."""

import json

import pytest

from bench.statistics.estimates import Estimate
from reports.boards.cells import EMPTY, STRATEGY, Bar, Cell, Column, tabled
from reports.boards.page_json import board_json, in_html, rounded, shown_ends
from reports.rows.numbers import Quantity
from reports.rows.rows import aggregate


def test_nothing_in_the_data_is_markup():
    evil = "</script><!--<script>&amp;"
    text = in_html({evil: [evil]})
    assert not set("<>&") & set(text) and json.loads(text) == {evil: [evil]}


def test_number_that_is_not_finite_is_refused_rather_than_written():
    with pytest.raises(ValueError):
        in_html([float("nan")])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (EMPTY, None),
        (Cell("full", "full"), "full"),
        (Cell("-1.0", -1.0), ["−1.0", -1]),
        (Cell("-1.0", -1.0, strong=True), ["−1.0", -1, "", "", None, True]),
        (Cell(".8", 0.8, "[-.1, .9]", "x-y", Bar(1, 2, 3.33333, None)), [".8", 0.8, "[−.1, .9]", "x-y", [1, 2, 3.333, None]]),
        (Cell("1-4", 2.5), ["1-4", 2.5]),
    ],
)
def test_cells_are_cut_after_their_last_part(make, cell, expected):
    column = Column("score", "Task", "", "descending", True, lambda row: cell)
    assert board_json(tabled([column], aggregate([make.record("full")[0]])))["lines"] == [{"cells": [expected]}]


def test_failed_row_keeps_its_names_and_its_reason(make):
    columns = [STRATEGY, Column("score", "Task", "", "descending", True, lambda row: Cell("1", 1))]
    (line,) = board_json(tabled(columns, aggregate([make.failed("full", reason="why")])))["lines"]
    assert line == {"cells": ["full", None], "status": "failed", "reason": "why"}


def test_column_names_itself_in_addresses():
    column = Column("forgetting", "Forgetting", "nats", "ascending", True, lambda row: EMPTY, "lambada", shown=False)
    (found,) = board_json(tabled([column], []))["columns"]
    assert (found["key"], found["term"], found["title"], found["shown"]) == (
        "forgetting.lambada",
        "forgetting",
        "lambada",
        False,
    )


def test_numbers_have_six_digits_and_shares_are_in_points():
    assert [rounded(value) for value in (0.123456789, 3.0, float("inf"), None)] == [0.123457, 3, None, None]
    share, loss = Quantity("accuracy", share=True), Quantity("loss (nats)", share=False)
    assert shown_ends(Estimate(0.5, 0.4, None, "items", 1), share) == [50, 40, None]
    assert shown_ends(Estimate(0.5, 0.4, 0.6, "items", 1), loss) == [0.5, 0.4, 0.6]
    assert shown_ends(None, loss) is None and shown_ends(Estimate(float("nan"), 0.4, 0.6, "items", 1), loss) is None

"""What the page's script reads: tables and numbers as JSON, in few bytes.

A cell is a list, cut after its last part that says something: text, value to sort by, interval, detail, bar, whether it is
strong. A cell that is empty is null, and one whose value is its text is that text.
"""

import json
from typing import Any

from bench.records.contract import Json
from bench.statistics.estimates import Estimate
from reports.boards.cells import EMPTY, Bar, Board, Cell, Column
from reports.formats.latex import MINUS
from reports.rows.numbers import Quantity, finite, in_unit
from reports.unseen_characters import visible_json

SAYS_NOTHING = (None, "", None, False)


def in_html(data: Any) -> str:
    """JSON that stands inside a <script> element: nothing in it ends the element or begins another."""
    text = visible_json(json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    # An element of a script ends at the first </script>, whatever it is a part of.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def board_json(board: Board) -> Json:
    """The table's columns, and its lines' cells."""
    return {
        "columns": [_encoded_column(column) for column in board.columns],
        "lines": [encoded_line(board, n) for n in range(len(board.lines))],
    }


def encoded_line(board: Board, number: int) -> Json:
    """One line; of a run that has no numbers its status and the reason instead of them."""
    line = board.lines[number]
    cells = [_encoded_cell(column, cell) for column, cell in zip(board.columns, line.cells, strict=True)]
    if line.row.status == "ok":
        return {"cells": cells}
    # The reason takes the place of the numbers, over all of their columns.
    names = [cell if not column.numeric else None for column, cell in zip(board.columns, cells, strict=True)]
    return {"cells": names, "status": line.row.status, "reason": line.row.reason}


def rounded(value: float | None, digits: int = 6) -> float | None:
    """With so many significant digits; None where there is no finite number."""
    if value is None or not finite(value):
        return None
    short = float(f"{value:.{digits}g}")
    # Whole numbers need no `.0`, and larger ones would show digits that a float does not hold.
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def shown_ends(estimate: Estimate | None, quantity: Quantity) -> list[float | None] | None:
    """Value and bounds as they are shown, shares in points; None where there is no value."""
    if estimate is None or not finite(estimate.value):
        return None
    return [None if end is None else rounded(in_unit(end, quantity)) for end in (estimate.value, estimate.low, estimate.high)]


def _encoded_column(column: Column) -> Json:
    """`key` names the column in the page's address."""
    return {
        "key": f"{column.term}.{column.name}" if column.name else column.term,
        "term": column.term,
        "title": column.title,
        "group": column.group,
        "note": column.note,
        "first": column.first,
        "numeric": column.numeric,
        "names": column.is_name,
        "shown": column.shown,
    }


def _encoded_cell(column: Column, cell: Cell) -> Any:
    if cell == EMPTY:
        return None
    typeset = _with_minus_signs if column.numeric else str
    # Six digits are enough to sort by, and a page holds thousands of cells.
    value = rounded(cell.value) if isinstance(cell.value, float) else cell.value
    bar = [rounded(end, 4) for end in _bar_ends(cell.bar)] if cell.bar else None
    parts = [typeset(cell.text), value, typeset(cell.interval), typeset(cell.detail), bar, cell.strong]
    # Text and value stay, by which the script tells a cell from a text.
    while parts[-1] in SAYS_NOTHING and len(parts) > 2:
        parts.pop()
    return parts[0] if len(parts) == 2 and parts[0] == parts[1] else parts


def _bar_ends(bar: Bar) -> tuple[float | None, ...]:
    return bar.low, bar.mid, bar.high, bar.base


def _with_minus_signs(text: str) -> str:
    """A hyphen before a number is a minus sign, as wide as a plus."""
    return MINUS.sub("−", text)

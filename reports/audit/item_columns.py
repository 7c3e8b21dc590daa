"""A record's items as its table holds them: parts of it, and columns that are there for every item."""

from collections.abc import Iterator

import pandas as pd

Path = tuple[str, ...]
"""Where a number stands in a record's outcome: ("forgetting", "wikipedia", "delta")."""
Numbers = dict[Path, float]


def part(items: pd.DataFrame, kind: str, name: str | None = None) -> pd.DataFrame:
    """The rows of one kind, or of one name of it."""
    # A record that left no answers has a table without rows and without columns.
    if "kind" not in items:
        return items
    rows = items["kind"] == kind
    return items[rows if name is None else rows & (items["name"] == name)]


def parts(items: pd.DataFrame, kind: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of one kind by their names, in the order of the table."""
    rows = part(items, kind)
    for name in dict.fromkeys(rows["name"]) if len(rows) else ():
        yield str(name), rows[rows["name"] == name]


def complete(items: pd.DataFrame, column: str) -> list[float] | None:
    """A column's numbers; None where the column, or one of its values, is missing."""
    return None if _lacks_values(items, column) else [float(value) for value in items[column]]


def column_texts(items: pd.DataFrame, column: str) -> list[str] | None:
    """A column's answers as they are written; None where the column, or one of its values, is missing."""
    return None if _lacks_values(items, column) else [str(value) for value in items[column]]


def _lacks_values(items: pd.DataFrame, column: str) -> bool:
    return column not in items or not len(items) or bool(items[column].isna().any())

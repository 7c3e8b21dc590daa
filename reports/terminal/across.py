"""A suite's tasks together, as a table in a terminal."""

from rich.table import Table
from rich.text import Text

from reports.formats.console import add_column, plain_table
from reports.rows import numbers
from reports.rows.across import Across, Overall
from reports.rows.standing import shown
from reports.unseen_characters import printable


def across_table(ranking: Across) -> Table:
    """A line for each strategy that has all tasks."""
    table = plain_table()
    add_column(table, "strategy", "strategy", justify="left", min_width=11)
    add_column(table, "overall_rank", "rank", min_width=4, no_wrap=True)
    # A narrow terminal folds names, and never a number with its interval.
    add_column(table, "middle", "interquartile mean", "of the way [95 %]", no_wrap=True)
    add_column(table, "average_rank", "average", "rank")
    for row, place in zip(ranking.rows, ranking.places, strict=True):
        table.add_row(Text(printable(row.label)), shown(place), Text(middle_text(row)), f"{row.rank:.2f}")
    return table


def middle_text(row: Overall) -> str:
    """`.412 [.380, .441]`"""
    return f"{numbers.share(row.middle)} {numbers.bracketed(row.bounds, numbers.share)}".rstrip()

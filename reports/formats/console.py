"""What every table in a terminal is printed with: the width, plain lines, and columns that are defined."""

import sys
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.definitions import defined
from reports.unseen_characters import printable

LOG_WIDTH = 100
"""Columns of a file or pipe, which say nothing of their width."""


def console() -> Console:
    """Standard output, where nothing is coloured that is not asked for."""
    # By itself Rich takes a file for 80 columns wide.
    return Console(highlight=False, width=None if sys.stdout.isatty() else LOG_WIDTH)


def say(console: Console, text: str) -> None:
    """One line however narrow the terminal, so that logs can be searched; nothing in it is markup."""
    console.print(Text(printable(text)), soft_wrap=True)


def plain_table() -> Table:
    """A table without edges."""
    # One space between columns, which the box draws: four probes and a score fit in 100 columns so.
    return Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)


def add_column(table: Table, term: str, *words: str, **look: Any) -> None:
    """A column of what `term` defines, its header one line for each of `words`; `look` goes to Rich.

    Raises:
        LookupError: nothing of that name is defined in reports/definitions.yaml.
    """
    defined(term)
    # A probe's or a task's name is in a heading too, and is no markup there.
    header = Text("\n".join(map(printable, words)))
    table.add_column(header, **{"overflow": "fold", "justify": "right", **look})


def add_cells(table: Table, cells: Iterable[str]) -> None:
    """A row; nothing in it is markup."""
    table.add_row(*(Text(printable(cell)) for cell in cells))

"""`tunebench compare` in a terminal: a table of changes for each model and task, and sentences below it."""

from reports.formats.console import add_cells, add_column, console, plain_table, say
from reports.gate import words
from reports.gate.compared import Compared


def print_changes(comparison: Compared) -> None:
    """Print what is said of the new side."""
    to = console()
    say(to, words.headline(comparison))
    for (suite, model, task), changes in words.by_table(comparison).items():
        say(to, f"{suite}: {model} on {task}")
        table = plain_table()
        for header, term in words.CHANGE_COLUMNS.items():
            add_column(table, term, header, justify="left" if header in words.LEFT_COLUMNS else "right")
        for change in changes:
            add_cells(table, words.cells(change))
        to.print(table)
    for sentence in words.comparison_lines(comparison):
        say(to, sentence)

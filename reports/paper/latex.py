"""An ablation's tables in LaTeX."""

from reports.formats.latex import floating_table, latex_escaped, latex_numbers
from reports.paper.ablation import TIE, Ablation, Entry, Grid


def latex_table(ablation: Ablation, table: Grid) -> str:
    """A floating table; the best value of a column is bold."""
    suite, model, task = ablation.group
    label = [suite, ablation.strategy, model, task, *ablation.axes]
    lines = [[*map(latex_escaped, names), *map(_latex_cell, entries)] for names, entries in table.lines]
    return floating_table(ablation.caption, label, [*table.corner, *table.headers], lines, len(table.corner))


def _latex_cell(entry: Entry) -> str:
    number = latex_numbers(entry.text)
    if entry.best:
        number = rf"\textbf{{{number}}}"
    if entry.tied:
        number += rf"$^{{{TIE}}}$"
    return rf"{number} {{\scriptsize {latex_numbers(entry.interval)}}}" if entry.interval else number

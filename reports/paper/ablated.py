"""`tunebench ablate`: the tables of a sweep printed, or written as LaTeX, Markdown, CSV and a figure."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from bench.folders import write_text, writing
from bench.statistics.estimates import Estimate
from reports.formats.console import add_column, console, plain_table, say
from reports.formats.csv_text import csv_text
from reports.formats.latex import latex_file
from reports.formats.markdown import escaped, markdown_table
from reports.paper.ablation import SWEPT, TIE, Ablation, Entry, Grid, Sweep, ablations, grid, transposed, without_score
from reports.paper.latex import latex_table
from reports.paper.measures import DEFAULT_SELECTION, check_selection
from reports.paper.sweep_figure import check_figure, sweep_figure
from reports.unseen_characters import printable


@dataclass(frozen=True)
class AblationFiles:
    """What is shown of a sweep, and where it is written; what is nowhere written is printed."""

    select: Sequence[str] = DEFAULT_SELECTION
    transpose: bool = False
    latex: Path | None = None
    markdown: Path | None = None
    csv: Path | None = None
    figure: Path | None = None

    def check(self) -> None:
        """Raise UserError before anything is run where a column or a kind of figure is unknown."""
        # A sweep may take hours, and a mistyped column is told before them.
        check_selection(self.select)
        if self.figure:
            check_figure(self.figure)

    def write(self, sweeps: Sequence[Sweep], out: Path | None) -> None:
        """Write or print the tables of all sweeps that have a score; what has none is told on standard error.

        Raises:
            UserError: there is nothing to show, or a file cannot be written.
        """
        # One that nobody has run yet, or that failed, takes nothing from the others. Where none has a score the first says why.
        shown = [sweep for sweep in sweeps if sweep.scored] or sweeps
        all_ablations = [table for sweep in shown for table in ablations(sweep, out, self.select)]
        tell_unscored(sweeps)
        tables = [transposed(grid(each)) if self.transpose else grid(each) for each in all_ablations]
        if self.latex:
            write_text(
                self.latex, latex_file("ablate", [latex_table(*pair) for pair in zip(all_ablations, tables, strict=True)])
            )
        if self.markdown:
            write_text(self.markdown, ablation_markdown(all_ablations, tables))
        if self.csv:
            write_text(self.csv, ablation_csv(all_ablations))
        if self.figure:
            with writing(self.figure) as temporary:
                temporary.write_bytes(sweep_figure(all_ablations, self.figure.suffix))
        if not (self.latex or self.markdown or self.csv or self.figure):
            _print_ablations(all_ablations, tables)


def tell_unscored(sweeps: Sequence[Sweep]) -> None:
    """A line for each table that there is not, on standard error, so that a written file is what it was asked to be."""
    for sentence in (sentence for sweep in sweeps for sentence in without_score(sweep)):
        print(printable(sentence), file=sys.stderr)


def ablation_markdown(all_ablations: Sequence[Ablation], tables: Sequence[Grid]) -> str:
    """A table with its caption below, for each model and task."""
    parts = []
    for ablation, table in zip(all_ablations, tables, strict=True):
        corner = [escaped(name) for name in table.corner]
        lines = [
            [*map(escaped, names), *(_entry_with_mark(entry, escaped(TIE)) for entry in entries)]
            for names, entries in table.lines
        ]
        measured = zip(map(escaped, table.headers), table.terms, strict=True)
        columns = [*((name, SWEPT) for name in corner), *measured]
        parts += [markdown_table(columns, lines, corner), escaped(" ".join(ablation.caption))]
    return "\n\n".join(parts) + "\n"


def _entry_with_mark(entry: Entry, tie: str) -> str:
    text = f"**{entry.text}**" if entry.best else f"{entry.text}{tie if entry.tied else ''}"
    return f"{text} {entry.interval}".rstrip()


def ablation_csv(all_ablations: Sequence[Ablation]) -> str:
    """A line for each point with full numbers; what is not known is empty."""
    terms = {name: term for ablation in all_ablations for name, term in _csv_terms_of(ablation)}
    return csv_text([line for ablation in all_ablations for line in _csv_points(ablation)], lambda name: terms.get(name, name))


def _csv_terms_of(ablation: Ablation) -> Iterator[tuple[str, str]]:
    """Of the columns whose terms have other names."""
    yield from ((axis, SWEPT) for axis in ablation.axes)
    for measure in ablation.measures:
        yield measure.name, measure.term
        yield from ((f"{measure.name}_{end}", "interval") for end in ("low", "high"))
        yield f"{measure.name}_top", "top"


def _csv_points(ablation: Ablation) -> Iterator[dict[str, Any]]:
    suite, model, task = ablation.group
    for values, row in ablation.rows.items():
        line: dict[str, Any] = {"suite": suite, "model": model, "task": task, **dict(zip(ablation.axes, values, strict=True))}
        if row:
            score = row.outcome.score if row.outcome else None
            line |= {"strategy": row.setup.strategy, "seeds": row.seeds, "items": score.n if score else None}
            for measure in ablation.measures:
                line[measure.name] = measure.value(row)
                # A cost has no interval, and no empty columns for one.
                if isinstance(measure.number(row), Estimate):
                    line[f"{measure.name}_low"], line[f"{measure.name}_high"] = measure.bounds(row) or (None, None)
                if measure.standing:
                    top = measure.best(ablation.scored) | measure.tied(ablation.scored)
                    line[f"{measure.name}_top"] = row.first.run_id in top
        yield line


def _print_ablations(all_ablations: Sequence[Ablation], tables: Sequence[Grid]) -> None:
    to = console()
    for ablation, table in zip(all_ablations, tables, strict=True):
        printed = plain_table()
        for name in table.corner:
            add_column(printed, SWEPT, name, justify="left")
        for term, header in zip(table.terms, table.headers, strict=True):
            add_column(printed, term, header)
        for names, entries in table.lines:
            values = [_terminal_entry(entry, to.is_terminal) for entry in entries]
            printed.add_row(*(Text(printable(name)) for name in names), *values)
        say(to, ablation.caption[0])
        to.print(printed)
        for sentence in ablation.caption[1:]:
            say(to, sentence)
        say(to, "")


def _terminal_entry(entry: Entry, bold: bool) -> Text:
    """A file or pipe has no bold: the best stands between stars there."""
    if not bold:
        return Text(_entry_with_mark(entry, TIE))
    text = Text(f"{entry.text}{TIE if entry.tied else ''}", style="bold" if entry.best else "")
    return text.append(f" {entry.interval}" if entry.interval else "", style="not bold")

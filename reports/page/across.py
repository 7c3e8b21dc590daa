"""The page's table of a suite's tasks together."""

from collections.abc import Sequence

from reports.boards.cells import EMPTY, STRATEGY, Board, Cell, Column, Section, tabled
from reports.rows import numbers
from reports.rows.across import Across, across
from reports.rows.captions import across_sentences
from reports.rows.fairness import unfair_on
from reports.rows.row import Row
from reports.rows.standing import shown


def across_section(rows: Sequence[Row]) -> Section:
    """A table per model that has several tasks."""
    rankings = across(rows)
    tables = [(f"{each.model}: {', '.join(each.tasks)}", _across_board(each, rows)) for each in rankings]
    sentences = [f"{each.model}: {' '.join(across_sentences(each))}" for each in rankings]
    for each in rankings:
        sentences += [f"{each.model} on {said}." for said in unfair_on(rows, each.suite, each.model, each.tasks)]
    return Section("Across tasks", tables, sentences, ("overall_rank", "middle", "average_rank"))


def _across_board(ranking: Across, rows: Sequence[Row]) -> Board:
    overall = {each.label: each for each in ranking.rows}

    def middle(row: Row) -> Cell:
        each = overall.get(row.label)
        if each is None:
            return EMPTY
        return Cell(numbers.share(each.middle), each.middle, numbers.bracketed(each.bounds, numbers.share))

    def rank(row: Row) -> Cell:
        each = overall.get(row.label)
        return Cell(f"{each.rank:.2f}", each.rank) if each else EMPTY

    places = dict(zip(overall, ranking.places, strict=True))

    def place(row: Row) -> Cell:
        if row.label not in places:
            return EMPTY
        # As in a table of one task, places are sorted by their middle.
        return Cell(shown(places[row.label]), sum(places[row.label]) / 2)

    columns = [
        STRATEGY,
        Column("overall_rank", "All tasks", "of the average rank", "ascending", True, place),
        Column("middle", "All tasks", "of the way from base to perfect", "descending", True, middle),
        Column("average_rank", "All tasks", "over tasks", "ascending", True, rank),
    ]
    # Of several rows with one label the best comes first, and so is put in last.
    first = {row.label: row for row in reversed(rows) if (row.setup.model, row.setup.task) == (ranking.model, ranking.tasks[0])}
    return tabled(columns, [first[each.label] for each in ranking.rows])

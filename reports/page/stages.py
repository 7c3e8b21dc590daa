"""The page's tables on stages: tasks that one model was trained on one after another."""

from collections.abc import Sequence

from reports.boards.cells import (
    EMPTY,
    STRATEGY,
    Board,
    Cell,
    Column,
    Direction,
    Section,
    difference_cell,
    level_cell,
    sortable,
    tabled,
)
from reports.rows import numbers
from reports.rows.row import Row
from reports.rows.rows import staged

NO_INTERVALS = "These are scores of one seed without intervals: nothing is said of how far chance moves them."
OVER_SEEDS = "Intervals hold other seeds on these test items alone: new items may move the numbers farther."


def stages_section(rows: Sequence[Row]) -> Section:
    """The measures, and the scores that they are made of."""
    tables, with_interval = [], False
    for group in staged(rows):
        tables += [
            (f"{group[0].setup.model}: the three measures", _stage_measures_board(group)),
            ("Scores", _stage_scores_board(group)),
        ]
        with_interval |= any(row.stages and row.stages.forgetting.low is not None for row in group)
    terms = ("backward_transfer", "forward_transfer", "stage_forgetting")
    notes = ["One model was trained on the tasks one after another.", OVER_SEEDS if with_interval else NO_INTERVALS]
    return Section("Stages", tables, notes, terms)


def _stage_measures_board(rows: Sequence[Row]) -> Board:
    # All rows of a table went through the same stages.
    quantity = rows[0].stage_quantity

    def column(term: str, name: str, positive: str, first: Direction) -> Column:
        def cell(row: Row) -> Cell:
            return difference_cell(getattr(row.stages, name), quantity) if quantity else EMPTY

        return Column(term, "", f"{quantity.unit if quantity else 'unlike units'}, positive is {positive}", first, True, cell)

    return tabled(
        [
            STRATEGY,
            column("backward_transfer", "backward_transfer", "better", "descending"),
            column("forward_transfer", "forward_transfer", "better", "descending"),
            # The term is longer than its field: `forgetting` by itself is defined as what probes lose.
            column("stage_forgetting", "forgetting", "loss", "ascending"),
        ],
        rows,
    )


def _stage_scores_board(rows: Sequence[Row]) -> Board:
    tasks = list(rows[0].stage_quantities)
    columns = [
        # Stage -1 is the base, before any training.
        _stage_score_column(f"After {tasks[stage]}" if stage >= 0 else "Base", name, stage, task)
        for stage in range(-1, len(tasks))
        for task, name in enumerate(tasks)
    ]
    return tabled([STRATEGY, *columns], rows)


def _stage_score_column(group: str, name: str, stage: int, task: int) -> Column:
    def cell(row: Row) -> Cell:
        assert row.stages is not None
        quantity = list(row.stage_quantities.values())[task]
        if stage >= 0:
            return level_cell(row.stages.scores[stage][task], quantity)
        value = row.stages.base[task]
        return Cell(numbers.level(value, quantity), sortable(value))

    return Column("stage_score", group, "", "descending", True, cell, name)

"""Which rows an export is of."""

from collections.abc import Sequence

from bench.errors import UserError, unknown
from reports.rows.row import Row


def rows_of_strategy(rows: Sequence[Row], strategy: str, task: str | None = None) -> list[Row]:
    """The rows of a strategy by its name, or by the whole label of one of its variants: one for each task.

    Raises:
        UserError: there is none, or several of a task.
    """
    scored = [row for row in rows if row.score]
    # Where a strategy has one row its name will do, and the label is what tells several apart.
    of_strategy = [row for row in scored if strategy in (row.setup.strategy, row.label)]
    if not of_strategy:
        raise unknown("strategy", strategy, {row.label for row in scored})
    matches = [row for row in of_strategy if task in (None, row.setup.task)]
    if task and not matches:
        tasks = ", ".join(sorted({row.setup.task for row in of_strategy}))
        raise UserError(f"strategy '{strategy}' has no score on task '{task}'; it has one on {tasks}")
    if len({row.setup.task for row in matches}) < len(matches) or len({row.setup.model for row in matches}) > 1:
        names = ", ".join(f"{row.setup.suite}: {row.setup.model} on {row.setup.task}: {row.label}" for row in matches)
        raise UserError(f"strategy '{strategy}' is several rows ({names}); name one by --suite, --model or its whole label")
    return matches

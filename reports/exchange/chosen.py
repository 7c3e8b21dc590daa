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
    matches = [row for row in scored if strategy in (row.setup.strategy, row.label) and task in (None, row.setup.task)]
    if not matches:
        what = f"task {task} with strategy" if task else "strategy"
        raise unknown(what, strategy, {row.label for row in scored})
    tasks = [row.setup.task for row in matches]
    if len(set(tasks)) < len(tasks) or len({row.setup.model for row in matches}) > 1:
        names = ", ".join(f"{row.setup.suite}: {row.setup.model} on {row.setup.task}: {row.label}" for row in matches)
        raise UserError(f"strategy '{strategy}' is several rows ({names}); name one by --suite, --model or its whole label")
    return matches

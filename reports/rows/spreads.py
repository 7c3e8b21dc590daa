"""How far seeds move a number, pooled over the rows of one table (suite, model and task)."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from bench.records.outcome import Outcome
from bench.records.record import Record
from bench.statistics.intervals import Spread, pooled


class SeedSpreads:
    """The outcomes of a table's rows, one per seed, whose variances between seeds are taken as alike."""

    def __init__(self, rows: Sequence[Sequence[Outcome]] = ()) -> None:
        self.rows = rows

    def of(self, number: Callable[[Outcome], float | None]) -> Spread:
        """The seed variance of a number of the outcomes; a row in which some run lacks it has no part in it."""
        values = [tuple(number(outcome) for outcome in row) for row in self.rows]
        return _pooled_spread(tuple(tuple(value for value in row if value is not None) for row in values if None not in row))


@lru_cache
def _pooled_spread(rows: tuple[tuple[float, ...], ...]) -> Spread:
    """Each row of a table asks anew for the same."""
    return pooled(rows)


NO_SEEDS = SeedSpreads()
"""Of a row that depends on no seed."""


def spreads_of(rows: Sequence[Sequence[Record]], pooled_rows: Sequence[Sequence[Record]] | None = None) -> list[SeedSpreads]:
    """For each row of records, one per seed, the seeds of its table.

    A seed of rows that train nothing chooses the solved examples: it moves other numbers than one of training does, and the two
    are not pooled. A row that collapsed with all seeds but one at most has no part in it, unless there is no other.

    Args:
        pooled_rows: the rows that are pooled, where some records stand in several of `rows`; by default all.
    """
    tables: dict[tuple[str, str, str, bool], list[list[Outcome]]] = {}
    for runs in rows if pooled_rows is None else pooled_rows:
        outcomes = [run.outcome for run in runs if run.outcome is not None and run.status == "ok"]
        if outcomes and _depends_on_seed(runs):
            tables.setdefault(_table_key(runs), []).append(outcomes)
    sound = {table: [row for row in of_table if _two_runs_learned(row)] or of_table for table, of_table in tables.items()}
    return [SeedSpreads(sound.get(_table_key(runs), [])) if _depends_on_seed(runs) else NO_SEEDS for runs in rows]


def _two_runs_learned(outcomes: Sequence[Outcome]) -> bool:
    """Whether a row tells how far seeds move one that has learned something: two of its runs have. One that gives the same
    answer to everything with each seed hardly varies, and beside it the others would seem surer than they are."""
    return sum(outcome.collapsed is None for outcome in outcomes) > 1


def _table_key(runs: Sequence[Record]) -> tuple[str, str, str, bool]:
    setup, cost = runs[0].setup, runs[0].cost
    # What trains is told from what does not, and a cost that nobody knows counts as none.
    return setup.suite, setup.model, setup.task, bool(cost and cost.train_examples)


def _depends_on_seed(runs: Sequence[Record]) -> bool:
    """Whether a row's result depends on a seed, as far as is known."""
    inputs = runs[0].provenance.inputs
    return not inputs or "seed" in inputs

"""How far seeds move a number, pooled over the rows of one table (suite, model and task)."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from bench.records.outcome import Outcome
from bench.records.record import Record
from bench.statistics.intervals import Spread, pooled
from bench.statistics.variances import over_seeds

SeedValues = tuple[tuple[float, ...], ...]
"""Of each row, one per seed."""


class SeedSpreads:
    """The outcomes of a table's rows, one per seed, whose variances between seeds are taken as alike."""

    def __init__(self, rows: Sequence[Sequence[Outcome]] = (), fallen: Sequence[Sequence[Outcome]] = ()) -> None:
        """`fallen` are the rows in which no two runs learned something."""
        self.rows = rows
        self._fallen = fallen

    def of(self, number: Callable[[Outcome], float | None]) -> Spread:
        """The seed variance of a number of the outcomes; a row in which some run lacks it has no part in it."""
        return _pooled_spread(_values(self.rows, number), _values(self._fallen, number))


def _values(rows: Sequence[Sequence[Outcome]], number: Callable[[Outcome], float | None]) -> SeedValues:
    values = [tuple(number(outcome) for outcome in row) for row in rows]
    return tuple(tuple(value for value in row if value is not None) for row in values if None not in row)


@lru_cache
def _pooled_spread(rows: SeedValues, fallen: SeedValues) -> Spread:
    """Each row of a table asks anew for the same.

    A row that gives the same answer to everything with each seed hardly varies, and beside it the others would seem surer than
    they are. One that learned with a single seed varies most of all, and without it that row would seem surer than it is.
    """
    learned = pooled(rows)
    louder = [row for row in fallen if len(row) > 1 and over_seeds(np.asarray(row)) > learned.variance]
    return pooled((*rows, *louder)) if louder else learned


NO_SEEDS = SeedSpreads()
"""Of a row that depends on no seed."""


def spreads_of(rows: Sequence[Sequence[Record]], pooled_rows: Sequence[Sequence[Record]] | None = None) -> list[SeedSpreads]:
    """For each row of records, one per seed, the seeds of its table.

    A seed of rows that train nothing chooses the solved examples: it moves other numbers than one of training does, and the two
    are not pooled. A row that collapsed with all seeds but one at most has a part only in numbers in which it varies more than
    the others do.

    Args:
        pooled_rows: the rows that are pooled, where some records stand in several of `rows`; by default all.
    """
    tables: dict[tuple[str, str, str, bool], list[list[Outcome]]] = {}
    for runs in rows if pooled_rows is None else pooled_rows:
        outcomes = [run.outcome for run in runs if run.outcome is not None and run.status == "ok"]
        if outcomes and _depends_on_seed(runs):
            tables.setdefault(_table_key(runs), []).append(outcomes)
    spreads = {table: spreads_of_table(of_table) for table, of_table in tables.items()}
    return [spreads.get(_table_key(runs), NO_SEEDS) if _depends_on_seed(runs) else NO_SEEDS for runs in rows]


def spreads_of_table(rows: Sequence[Sequence[Outcome]]) -> SeedSpreads:
    """Of the outcomes of one table's rows whose seeds do the same thing."""
    learned = [row for row in rows if _two_runs_learned(row)]
    # Where no row has learned anything they are all that there is.
    return SeedSpreads(learned, [row for row in rows if not _two_runs_learned(row)]) if learned else SeedSpreads(rows)


def _two_runs_learned(outcomes: Sequence[Outcome]) -> bool:
    """Whether a row tells how far seeds move one that has learned something."""
    return sum(outcome.collapsed is None for outcome in outcomes) > 1


def _table_key(runs: Sequence[Record]) -> tuple[str, str, str, bool]:
    setup, cost = runs[0].setup, runs[0].cost
    # What trains is told from what does not, and a cost that nobody knows counts as none.
    return setup.suite, setup.model, setup.task, bool(cost and cost.train_examples)


def _depends_on_seed(runs: Sequence[Record]) -> bool:
    """Whether a row's result depends on a seed, as far as is known."""
    inputs = runs[0].provenance.inputs
    return not inputs or "seed" in inputs

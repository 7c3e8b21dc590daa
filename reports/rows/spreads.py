"""How far seeds move a number, pooled over the rows of one table (suite, model and task)."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from bench.records.outcome import Outcome
from bench.records.record import Record
from bench.statistics.intervals import Spread, pooled
from bench.statistics.variances import over_seeds

Runs = tuple[tuple[float, bool], ...]
"""A number of each run of a row, one per seed, and whether the run learned something."""


class SeedSpreads:
    """The outcomes of a table's rows, one per seed, whose variances between seeds are taken as alike."""

    def __init__(self, rows: Sequence[Sequence[Outcome]] = (), fallen: bool = False, by_run: bool = False) -> None:
        """`fallen`: whether a run of the row that asks has collapsed. `by_run`: whether runs that learned take part beside
        one of their row that collapsed."""
        self.rows = rows
        self._fallen, self._by_run = fallen, by_run

    def of(self, number: Callable[[Outcome], float | None]) -> Spread:
        """The seed variance of a number of the outcomes; a row in which some run lacks it has no part in it."""
        told = [[(number(outcome), outcome.collapsed is None) for outcome in row] for row in self.rows]
        known = [tuple((value, learned) for value, learned in row if value is not None) for row in told]
        whole = tuple(runs for runs, row in zip(known, told, strict=True) if len(runs) == len(row))
        return _pooled_spread(whole, self._fallen, self._by_run)


@lru_cache
def _pooled_spread(rows: tuple[Runs, ...], fallen: bool, by_run: bool) -> Spread:
    """Each row of a table asks anew for the same.

    Where all runs of a row collapsed its seeds hardly vary, and where some did they vary by far more than others', the runs
    beside them too: such a row says nothing of how far seeds move one that learned with each. It is taken to vary as far as
    others of its kind do.
    """
    whole = [[value for value, _ in row] for row in rows]
    steady = [values for values, row in zip(whole, rows, strict=True) if all(sound for _, sound in row)]
    learned = Spread() if by_run else pooled(steady)
    if not learned.freedom:  # nor where no row learned with each of several seeds
        learned = pooled([[value for value, sound in row if sound] for row in rows])
    if not learned.freedom:
        return pooled(whole)
    unsteady = [
        values
        for values, row in zip(whole, rows, strict=True)
        if len(row) > 1 and not all(sound for _, sound in row) and over_seeds(np.asarray(values)) > learned.variance
    ]
    return pooled(unsteady) if fallen and unsteady else learned


NO_SEEDS = SeedSpreads()
"""Of a row that depends on no seed."""


def spreads_of(
    rows: Sequence[Sequence[Record]], pooled_rows: Sequence[Sequence[Record]] | None = None, by_run: bool = False
) -> list[SeedSpreads]:
    """For each row of records, one per seed, the seeds of its table.

    A seed of rows that train nothing chooses the solved examples: it moves other numbers than one of training does, and the two
    are not pooled. Runs that collapsed have a part only in the spreads of rows of which a run has.

    Args:
        pooled_rows: the rows that are pooled, where some records stand in several of `rows`; by default all.
        by_run: whether a run that learned takes part beside one of its row that collapsed: where a row is held against itself
            at another time, whose seeds tell the most of it.
    """
    tables: dict[tuple[str, str, str, bool], list[list[Outcome]]] = {}
    for runs in rows if pooled_rows is None else pooled_rows:
        outcomes = _outcomes(runs)
        if outcomes and _depends_on_seed(runs):
            tables.setdefault(_table_key(runs), []).append(outcomes)
    return [
        SeedSpreads(tables.get(_table_key(runs), []), any(outcome.collapsed is not None for outcome in _outcomes(runs)), by_run)
        if _depends_on_seed(runs)
        else NO_SEEDS
        for runs in rows
    ]


def _outcomes(runs: Sequence[Record]) -> list[Outcome]:
    return [run.outcome for run in runs if run.outcome is not None and run.status == "ok"]


def _table_key(runs: Sequence[Record]) -> tuple[str, str, str, bool]:
    setup = runs[0].setup
    # What trains is told from what does not.
    return setup.suite, setup.model, setup.task, run_trains(runs[0])


def _depends_on_seed(runs: Sequence[Record]) -> bool:
    """Whether a row's result depends on a seed, as far as is known."""
    inputs = runs[0].provenance.inputs
    return not inputs or "seed" in inputs


def run_trains(record: Record) -> bool:
    """Whether it trained on any example; a cost that nobody knows counts as none."""
    return bool(record.cost and record.cost.train_examples)

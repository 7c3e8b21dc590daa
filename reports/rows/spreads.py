"""How far seeds move a number, pooled over the rows of one table (suite, model and task)."""

from collections.abc import Callable, Sequence

from bench.records.outcome import Outcome
from bench.statistics.intervals import Spread, pooled


class SeedSpreads:
    """The outcomes of a table's rows, one per seed, whose variances between seeds are taken as alike."""

    def __init__(self, rows: Sequence[Sequence[Outcome]] = ()) -> None:
        self.rows = rows

    def of(self, number: Callable[[Outcome], float | None]) -> Spread:
        """The seed variance of a number of the outcomes; a row in which some run lacks it has no part in it."""
        found = [[number(outcome) for outcome in row] for row in self.rows]
        return pooled([[value for value in row if value is not None] for row in found if None not in row])


NO_SEEDS = SeedSpreads()
"""Of a row that depends on no seed, or whose table has one seed."""

"""The course of each row's numbers over what was accepted, and where it changed by more than noise."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from bench.groups import groups_by
from bench.records.outcome import Outcome
from bench.statistics.change_points import change_points
from reports.gate.accepted import Accepted, accepted_of
from reports.gate.differences import loss_of_run, score_of_run
from reports.gate.sides import matched, rows_once
from reports.rows.numbers import Quantity
from reports.rows.row import Row
from reports.rows.rows import aggregate
from reports.rows.spreads import SeedSpreads, spreads_of

Number = Callable[[Outcome], float | None]


@dataclass(frozen=True)
class RowCourse:
    """One number of a row over time, the oldest first."""

    row: Row
    """The newest."""
    probe: str
    """What of it was lost; empty: the score."""
    quantity: Quantity
    points: Sequence[tuple[Accepted, float]]
    """Means over seeds."""
    changes: Sequence[int]
    """Places in `points` at which a new level begins."""
    left_out: int
    """So many earlier ones answered another question."""
    tells: bool
    """Whether a change could be found: there are two points, and it is known how far seeds move them."""

    @property
    def values(self) -> list[float]:
        return [value for _, value in self.points]


@dataclass(frozen=True)
class _Past:
    """A row of its suite's newest baseline, with all that are like it."""

    row: Row
    rows: Sequence[tuple[Accepted, Row]]
    left_out: int
    seeds: SeedSpreads


def courses(folder: Path, suite: str | None = None) -> list[RowCourse]:
    """Of all rows of each suite's newest baseline in a folder: their scores, and of those that train what probes lost.

    Raises:
        UserError: nothing was accepted there.
    """
    pasts = list(_pasts([(each, aggregate(records)) for each, records in accepted_of(folder, suite)]))
    numbers = [(past, probe) for past in pasts for probe in ("", *(past.row.forgetting if past.row.trains else ()))]
    return [_row_course(past, probe, len(numbers)) for past, probe in numbers]


def _pasts(kept: Sequence[tuple[Accepted, Sequence[Row]]]) -> Iterator[_Past]:
    newest = _newest([rows for _, rows in kept])
    # The newest is matched with itself too, and is the last point of its course.
    matches = [(each, match) for each, rows in kept for match in matched(newest, rows)[0]]
    by_row = groups_by(matches, lambda pair: id(pair[1].new))
    fitting = {key: [(each, match.old) for each, match in pairs if not match.other_question] for key, pairs in by_row.items()}
    # Seeds of another budget or another metric would say how far they moved another number.
    spreads = {
        id(row): spread
        for rows in groups_by(newest, _table_and_seeding).values()
        for row, spread in zip(rows, _noise(rows, [point for row in rows for point in fitting[id(row)]]), strict=True)
    }
    for row in newest:
        points = fitting[id(row)]
        yield _Past(row, points, len(by_row[id(row)]) - len(points), spreads[id(row)])


def _newest(kept: Sequence[Sequence[Row]]) -> list[Row]:
    """The scored rows of the last baseline that has their suite, since each suite may have been accepted by itself."""
    last: dict[str, list[Row]] = {}
    for rows in kept:
        last |= groups_by([row for row in rows if row.score], lambda row: row.setup.suite)
    return [row for rows in last.values() for row in rows]


def _noise(rows: Sequence[Row], points: Sequence[tuple[Accepted, Row]]) -> list[SeedSpreads]:
    """How far seeds move each of the rows of one table, as all points of their courses tell."""
    baselines = groups_by(points, lambda point: id(point[0])).values()
    known = rows_once([record for _, row in each for record in row.records] for each in baselines)
    mine = [row.records for row in rows]
    told = spreads_of(mine, [row.records for row in known], by_run=True)
    # A suite or a model that got another name stands in the older table, under its old one.
    return [spread if spread.rows else alone for spread, alone in zip(told, spreads_of(mine, by_run=True), strict=True)]


def _table_and_seeding(row: Row) -> tuple[str, str, str, bool, bool]:
    """Rows of one table whose seeds do the same thing."""
    return (*row.group, row.trains, row.seeds == "none")


def _row_course(past: _Past, probe: str, among: int) -> RowCourse:
    number = partial(loss_of_run, probe) if probe else score_of_run
    means = [(each, row, _mean_over_seeds(row, number)) for each, row in past.rows]
    # A probe that was not asked then leaves a gap, and no point.
    points = [(each, row, value) for each, row, value in means if value is not None]
    spread = past.seeds.of(number)
    # What depends on no seed varies by nothing.
    freedom = spread.freedom if past.seeds.rows else 1
    # As wide as the point with the fewest seeds leaves it.
    variance = float(spread.variance) / min(len(row.records) for _, row, _ in points)
    # All courses are looked at together, so that each may show a change by chance more seldom.
    places = change_points([value for *_, value in points], variance, freedom, among)
    quantity = past.row.forgetting[probe].quantity if probe else past.row.quantity
    tells = len(points) > 1 and freedom > 0
    return RowCourse(past.row, probe, quantity, [(each, value) for each, _, value in points], places, past.left_out, tells)


def _mean_over_seeds(row: Row, number: Number) -> float | None:
    values = [number(run.outcome) for run in row.records if run.outcome]
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(row.records) else None

"""What the answers of a folder give: the numbers of each record, of each row and column of its tables, and over tasks."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd

from bench.records.record import Record
from reports.audit.across import TaskScores, over_tasks
from reports.audit.detectable import (
    WithEnds,
    detectable_by_intervals,
    detectable_difference,
    smallest_loss,
    that_vary_alike,
)
from reports.audit.frontiers import frontier_of, frugal_of, same_number, sparing_of
from reports.audit.imported_means import binomial_bounds
from reports.audit.intervals import (
    Left,
    OfRun,
    SeededRow,
    SeededTable,
    left_out,
    record_intervals,
    row_intervals,
    seed_deviations,
    seed_variance,
    seeds_alone_intervals,
)
from reports.audit.item_columns import Numbers
from reports.audit.item_columns import Path as Place
from reports.audit.leaving_out import bounds
from reports.audit.ranks import (
    Rival,
    holm_by_steps,
    items_asked,
    moves_by_rounding,
    p_of_row,
    pairs_of,
    places_of,
    told_of_pairs,
)
from reports.audit.recomputed import recomputed
from reports.audit.table import BOUNDS, SMALLEST_SHOWN, WORDINGS_SPREAD, ShownColumn, ShownRow, ShownTogether, mean_numbers
from reports.audit.table_frontiers import ShownFrontier
from reports.audit.transfers import transfer_numbers

LATER = ("accuracy_lost",)
"""The part of a probe that records of the same engine version can lack."""
BASE_SCORE: Place = ("base_score",)
BEST_BASE_SCORE: Place = ("best_base", "score")
SCORE: Place = ("score", "value")
GAIN, OVER_BEST = ("gain",), ("best_base", "gain")
"""Over the base in a row's own words, and in its best."""

AtPlace = TypeVar("AtPlace")


@dataclass(frozen=True)
class FromAnswers:
    """What the answers of one run give."""

    numbers: Numbers
    left: Left
    questions: Mapping[Place, Hashable]


class FolderAnswers:
    """What has been made of a folder's answers so far: first of its records, then of its rows, then of their columns."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._answered: dict[str, FromAnswers] = {}
        self._rivals: dict[str, dict[Place, Rival]] = {}
        self._rows: dict[str, Numbers] = {}

    def of_record(self, record: Record, items: pd.DataFrame, known: Numbers) -> Numbers:
        """All numbers of one run. Of what is known, parts are left out that its record was made before there were such."""
        left = _of_its_time(left_out(record, items), known)
        made = FromAnswers(_of_its_time(recomputed(record, items), known), left, items_asked(record, items))
        self._answered[record.run_id] = made
        return made.numbers | record_intervals(left)

    def of_row(self, row: ShownRow, rows: Sequence[ShownRow]) -> Numbers:
        """A row's means, intervals and p values; nothing where a run of it left no answers."""
        if not self._has(row.runs):
            return {}
        made_of = [self._answered[run.run_id] for run in row.runs]
        left = [made.left for made in made_of]
        # A row's means are made of numbers that were recomputed, and not of what records say.
        numbers = mean_numbers([made.numbers for made in made_of], row.numbers) | seed_deviations(left, row)
        numbers |= _spread_of_wordings([made.numbers for made in made_of])
        table = _seeded_table(row, rows)
        # A row beside it without answers has a part in the seeds' variance, which can't be made again then.
        if not all(self._has(each.runs) for each in table.rows):
            return numbers
        parts = _table_of(table, [[self._answered[run.run_id].left for run in each.runs] for each in table.rows])
        numbers |= row_intervals(left, parts, row)
        numbers |= seeds_alone_intervals([made.numbers for made in made_of], self._numbers_beside(row, table), row)
        self._rivals[row.runs[0].run_id] = _rivals(made_of, parts, row)
        numbers |= _losses_shown(made_of[0].numbers, numbers)
        numbers |= _p_values(left, parts, row) | transfer_numbers(row, parts, self._out)
        self._rows[row.runs[0].run_id] = numbers
        return numbers

    def _numbers_beside(self, row: ShownRow, table: SeededTable[Record]) -> SeededTable[Numbers]:
        """Of the runs that say how far a seed moves the row's; of stages, those that went through the same ones."""
        beside = []
        for each in table.rows:
            numbers = [self._answered[run.run_id].numbers for run in each.runs]
            if _stages_of(each.runs) != _stages_of(row.runs):
                numbers = [{place: n for place, n in known.items() if place[0] != "stages"} for known in numbers]
            beside.append(numbers)
        return _table_of(table, beside)

    def of_column(self, column: ShownColumn) -> Numbers:
        """The places of its rows, how far two are apart, and the smallest detectable difference; nothing where one's numbers
        are not known, without which the others would be held against fewer, or where rows did not answer the same items. Of a
        column of imported rows, the difference alone."""
        intervals = {name: self._imported_interval(column.place, runs) for name, runs in column.rows.items()}
        known = {name: interval for name, interval in intervals.items() if interval}
        if len(known) == len(intervals):
            return detectable_by_intervals(known, that_vary_alike(column.rows))
        rivals = self._rivals_at(column.place, column.rows)
        if len({rival.question for rival in rivals.values()}) != 1:
            return {}
        pairs = pairs_of(rivals)
        difference = detectable_difference(rivals, that_vary_alike(column.rows), column.share)
        numbers = places_of(list(rivals), pairs, column.higher_is_better) | difference
        if column.place == SCORE[:1]:
            numbers |= told_of_pairs(pairs)
        return numbers

    def of_frontier(self, shown: ShownFrontier) -> Numbers:
        """Which rows nothing beats, and what each point gained has cost them; nothing where a row, or the base beside it, left
        no answers."""
        if not all(map(self._has, shown.beside)):
            return {}
        if shown.lost and not isinstance(shown.price, str):
            losing = self._rivals_at(("forgetting", shown.lost), shown.rows)
            return sparing_of(losing, shown.price) if losing else {}
        scores = [self._answered[runs[0].run_id].numbers.get(BASE_SCORE) for runs in shown.beside]
        bases = [score for score in scores if score is not None]
        if len(bases) < len(scores):
            return {}
        # Beside bases that score unlike, as in other words, gains are only comparable over the base in its best words.
        gain = GAIN if same_number(min(bases), max(bases)) else OVER_BEST
        gains = self._rivals_at(gain, shown.rows)
        if not isinstance(shown.price, str):
            return frugal_of(gains, shown.price) if gains else {}
        losses = self._rivals_at(("forgetting", shown.price), shown.rows)
        if not gains or not losses:
            return {}
        prices = {name: self._per_gained(runs, gain, shown.price) for name, runs in shown.rows.items()}
        costs_of_gain = {("per_gain", name): price for name, price in prices.items() if price is not None}
        return frontier_of(gains, losses) | costs_of_gain

    def of_tasks(self, shown: ShownTogether) -> Numbers:
        """Rows over several tasks; nothing where a row of one of the tasks left no answers, or the base did not."""
        tasks = []
        for rows in shown.tasks:
            if not all(map(self._has, rows.values())):
                return {}
            made_of = {name: [self._answered[run.run_id].numbers for run in runs] for name, runs in rows.items()}
            scored = all(SCORE in each for name in shown.names for each in made_of[name])
            if not scored or any(BASE_SCORE not in numbers[0] for numbers in made_of.values()):
                return {}
            scores = {name: [each[SCORE] for each in made_of[name]] for name in shown.names}
            best = [numbers[0][BEST_BASE_SCORE] for numbers in made_of.values() if BEST_BASE_SCORE in numbers[0]]
            bases = best or [numbers[0][BASE_SCORE] for numbers in made_of.values()]
            tasks.append(TaskScores(_metric_of_scores(rows), scores, bases))
        return over_tasks(tasks)

    def _rivals_at(self, place: Place, rows: Mapping[str, Sequence[Record]]) -> dict[str, Rival]:
        """One number of each row; none at all where one row's is not known."""
        rivals = {label: self._rivals.get(runs[0].run_id, {}).get(place) for label, runs in rows.items()}
        known = {label: rival for label, rival in rivals.items() if rival}
        return known if len(known) == len(rivals) else {}

    def _imported_interval(self, place: Place, runs: Sequence[Record]) -> WithEnds | None:
        """A score of somebody else's, and what its interval must be; None where neither answers nor counts give it, and of our
        own rows."""
        run, source = runs[0], runs[0].provenance.source
        if len(runs) > 1 or source is None or run.outcome is None or place != SCORE[:1]:
            return None
        if source.interval == "binomial":
            return run.outcome.score.value, *binomial_bounds(run.outcome.score.value, run.outcome.score.n)
        left = self._answered[run.run_id].left.get(place) if self._has(runs) else None
        return (left.value, *bounds([left])) if left else None

    def _per_gained(self, runs: Sequence[Record], gain: Place, probe: str) -> float | None:
        """What was lost for each unit gained, shares in points; None where the gain's interval does not lie above zero."""
        row, of_run = self._rows[runs[0].run_id], self._answered[runs[0].run_id].numbers
        gained, low = row[*gain, "value"], row[*gain, BOUNDS[0]]
        if low <= 0 or gained <= 0:
            return None
        in_points = [100.0 if of_run[*place, "share"] else 1.0 for place in (("forgetting", probe), ("score",))]
        return row["forgetting", probe, "delta"] * in_points[0] / (gained * in_points[1])

    def _has(self, runs: Sequence[Record]) -> bool:
        """Whether all of them left answers."""
        return all(run.run_id in self._answered for run in runs)


def _metric_of_scores(rows: Mapping[str, Sequence[Record]]) -> str:
    """Of one task's scores."""
    return next(run.outcome.score.name for runs in rows.values() for run in runs if run.outcome)


def _spread_of_wordings(runs: Sequence[Numbers]) -> Numbers:
    """Of wordings, the best less the worst of each run, on average; nothing where a run was asked in one alone."""
    scores = [
        [number for place, number in run.items() if place[:2] == ("robustness", "scores") and place[-1] == "value"]
        for run in runs
    ]
    return {WORDINGS_SPREAD: sum(max(each) - min(each) for each in scores) / len(scores)} if all(scores) else {}


def _losses_shown(counts: Numbers, bounds: Numbers) -> Numbers:
    """The smallest loss that each probe would mostly have shown, from its interval and its number of items; none where nothing
    changed."""
    probes = [place[:-1] for place in bounds if place[0] == "forgetting" and len(place) == 3 and place[-1] == BOUNDS[0]]
    shown: Numbers = {}
    for probe in probes:
        low, high, items = bounds[*probe, BOUNDS[0]], bounds[*probe, BOUNDS[1]], counts.get((*probe, "n"), 0)
        if high > low and items > 1:
            shown[*probe, SMALLEST_SHOWN] = smallest_loss(low, high, items)
    return shown


def _rivals(runs: Sequence[FromAnswers], table: SeededTable[Left], row: ShownRow) -> dict[Place, Rival]:
    """A row's score, and what it lost of each probe, as they are held against other rows'."""
    rivals = {}
    for source, question in runs[0].questions.items():
        alike = all(run.questions.get(source) == question for run in runs)
        # A gain is of the score's items.
        for place in (source, GAIN, OVER_BEST) if source == SCORE[:1] else (source,):
            if alike and place not in row.from_bounds and all(place in run.left for run in runs):
                rivals[place] = Rival([run.left[place] for run in runs], seed_variance(place, table), question)
    return rivals


def _p_values(runs: Sequence[Left], table: SeededTable[Left], row: ShownRow) -> Numbers:
    """How surprising each difference is: a probe's loss among all probes of the row, and none of them where one can't be made
    again."""
    numbers: Numbers = {}
    wanted = [place for place in row.numbers if place[-1] == "p"]
    for place in wanted:
        number = place[:-1]
        if number in row.from_bounds or not all(number in run for run in runs):
            continue
        rival = Rival([run[number] for run in runs], seed_variance(number, table), None)
        if not moves_by_rounding(rival):
            numbers[place] = p_of_row(rival)
    lost = [place for place in wanted if place[0] == "forgetting" and len(place) == 3]
    known = [numbers.pop(place) for place in lost if place in numbers]
    return numbers | (dict(zip(lost, holm_by_steps(known), strict=True)) if len(known) == len(lost) else {})


def _of_its_time(numbers: Mapping[Place, AtPlace], known: Numbers) -> dict[Place, AtPlace]:
    """Without the parts that records made before there was such a part lack as a whole."""
    parts = {place[:3] for place in known}
    return {place: number for place, number in numbers.items() if place[2:3] != LATER or place[:3] in parts}


def _seeded_table(row: ShownRow, rows: Sequence[ShownRow]) -> SeededTable[Record]:
    """Without rows for a row that depends on no seed."""
    if not row.seeded:
        return SeededTable()
    beside = [other.runs for other in rows if other.seeded and other.table == row.table and len(other.runs) > 1]
    return SeededTable([SeededRow(runs, [_collapsed(run) for run in runs]) for runs in beside], any(map(_collapsed, row.runs)))


def _table_of(table: SeededTable[Record], runs: Sequence[Sequence[OfRun]]) -> SeededTable[OfRun]:
    """The same rows, with what is known of their runs."""
    return SeededTable([SeededRow(mine, row.collapsed) for mine, row in zip(runs, table.rows, strict=True)], table.fallen)


def _stages_of(runs: Sequence[Record]) -> list[Sequence[str] | None]:
    return [run.outcome.stages.tasks if run.outcome and run.outcome.stages else None for run in runs[:1]]


def _collapsed(run: Record) -> bool:
    return run.outcome is not None and run.outcome.collapsed is not None

"""The page's small tables below the wide one: other metrics, other tasks and domains, transfer, and wordings.

Those on forgetting and stages are made in reports/losses.py.
"""

from collections.abc import Iterator, Sequence

from bench.statistics.estimates import Estimate
from reports.page import losses
from reports.page.cells import (
    EMPTY,
    MODEL,
    STRATEGY,
    TASK,
    Board,
    Cell,
    Column,
    Direction,
    Section,
    difference,
    level,
    sortable,
    tabled,
)
from reports.rows import numbers
from reports.rows.numbers import Measure
from reports.rows.rows import KINDS, Row, grouped
from reports.rows.transfer import Transfer


def build(rows: Sequence[Row]) -> list[Section]:
    """The sections of one suite that have something to show."""
    found = [losses.forgetting(rows), losses.stages(rows), _metrics(rows), _elsewhere(rows), _transfer(rows), _wordings(rows)]
    return [section for section in found if section.tables]


def estimates(row: Row) -> Iterator[Estimate]:
    """All that the sections show of a row with an interval."""
    yield from (metric.value for metric in row.metrics.values())
    yield from (probe.rounding for probe in row.forgetting.values() if probe.rounding)
    for away in row.elsewhere.values():
        yield from (away.score, away.gain)
    yield from (transfer.rise for transfer in row.transfers)
    yield from row.wordings.scores.values() if row.wordings else ()


def _metrics(rows: Sequence[Row]) -> Section:
    shown = [row for row in rows if row.metrics]
    kinds = dict.fromkeys(metric.measure for row in shown for metric in row.metrics.values())
    columns = [_metric(measure, _lower_is_better(shown, measure.name)) for measure in kinds]
    return Section("Other metrics", "", _table(columns, shown))


def _metric(measure: Measure, lower: bool) -> Column:
    def cell(row: Row) -> Cell:
        found = row.metrics.get(measure.name)
        return level(found.value, measure) if found else EMPTY

    note = "of the answers" if measure.name == "malformed" else ""
    return Column("Task", measure.name, note, "ascending" if lower else "descending", True, cell)


def _lower_is_better(rows: Sequence[Row], metric: str) -> bool:
    return any(metric in row.first.metrics and not row.first.metrics[metric].higher_is_better for row in rows)


def _elsewhere(rows: Sequence[Row]) -> Section:
    shown = [row for row in rows if row.elsewhere]
    named = dict.fromkeys((row.kind(name), name, away.measure) for row in shown for name, away in row.elsewhere.items())
    columns = [_away(shown, *each) for each in sorted(named, key=lambda each: list(KINDS).index(each[0]))]
    note = "Score, and gain below it, on tasks beside the row's own, and on its own task in other domains."
    return Section("Other tasks and domains", note, _table(columns, shown))


def _away(rows: Sequence[Row], kind: str, name: str, measure: Measure) -> Column:
    def cell(row: Row) -> Cell:
        found = row.elsewhere.get(name)
        if found is None or found.measure != measure or row.kind(name) != kind:
            return EMPTY
        gain = f"{numbers.difference(found.gain.value, measure)} {numbers.bounds(found.gain, measure, signed=True)}"
        return level(found.score, measure, f"gain {gain}".rstrip())

    scores = [row.first.elsewhere[name].score for row in rows if name in row.elsewhere]
    first: Direction = "descending" if all(score.higher_is_better for score in scores) else "ascending"
    return Column(kind, name, f"{measure.name}, {numbers.items([score.n for score in scores])}", first, True, cell)


def _transfer(rows: Sequence[Row]) -> Section:
    shown = [row for row in rows if row.transfers]
    named = dict.fromkeys((each.task, each.measure) for row in shown for each in row.transfers)
    note = (
        "Score of the task in the mixture minus that of a run on the task alone, at the same model, seed and whole budget, "
        "on the items that both answered; positive is better."
    )
    return Section("Transfer", note, _table([_rise(task, measure) for task, measure in named], shown))


def _rise(task: str, measure: Measure) -> Column:
    def cell(row: Row) -> Cell:
        found = next((each for each in row.transfers if (each.task, each.measure) == (task, measure)), None)
        return difference(found.rise, measure, _against(row, found)) if found else EMPTY

    return Column("Mixed minus alone", task, f"{measure.name}, {measure.unit}", "descending", True, cell)


def _against(row: Row, found: Transfer) -> str:
    """`.561 against .571 (instruction, 64 items)`"""
    levels = f"{numbers.level(found.together, found.measure)} against {numbers.level(found.alone, found.measure)}"
    return f"{levels} ({found.alone_as(row.first.suite, len(row.records))}, {numbers.items([found.items])})"


def _wordings(rows: Sequence[Row]) -> Section:
    groups = grouped([row for row in rows if row.wordings])
    tables = [(f"{model} on {task}", _worded(group)) for (_, model, task), group in groups.items()]
    note = (
        "Score under each unseen instruction alone, on the same items. "
        "Spread: best minus worst of a run, mean over its seeds; with few items a part of it is chance."
    )
    return Section("Wordings", note, tables)


def _worded(rows: Sequence[Row]) -> Board:
    wordings = dict.fromkeys(words for row in rows if row.wordings for words in row.wordings.scores)
    first: Direction = "descending" if rows[0].higher_is_better else "ascending"
    columns = [_wording(number, words, first) for number, words in enumerate(wordings, start=1)]
    items = numbers.items([row.wordings.items for row in rows if row.wordings])
    spread = Column("", "Spread", f"{rows[0].measure.unit}, {items}", "ascending", True, _spread)
    return tabled([STRATEGY, spread, *columns], rows)


def _wording(number: int, words: str, first: Direction) -> Column:
    def cell(row: Row) -> Cell:
        found = row.wordings.scores.get(words) if row.wordings else None
        return level(found, row.measure) if found else EMPTY

    return Column("Score under each unseen instruction", f"Wording {number}", words, first, True, cell)


def _spread(row: Row) -> Cell:
    if row.wordings is None:
        return EMPTY
    return Cell(numbers.span(row.wordings.spread, row.wordings.measure), sortable(row.wordings.spread))


def _table(columns: list[Column], rows: Sequence[Row]) -> list[tuple[str, Board]]:
    return [("", tabled([MODEL, TASK, STRATEGY, *columns], rows))] if columns else []

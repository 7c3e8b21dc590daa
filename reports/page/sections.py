"""The page's small tables below the wide one: other metrics, other tasks and domains, transfer, and wordings."""

from collections.abc import Iterator, Sequence

from bench.statistics.estimates import Estimate
from reports.boards.cells import (
    EMPTY,
    MODEL,
    STRATEGY,
    TASK,
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
from reports.page.equal_cost import equal_cost_section
from reports.page.forgetting import forgetting_section
from reports.page.stages import stages_section
from reports.page.tuning import tuning_section
from reports.rows import numbers
from reports.rows.numbers import Quantity
from reports.rows.row import KINDS, Row
from reports.rows.rows import grouped
from reports.rows.transfer import Transfer

RATE_OF = {
    "malformed": "of the answers",
    "unfinished": "of the answers",
    "truncated": "of the items",
    "answerable": "of the questions",
    "reference_loss": "nats per token",
}


def small_sections(rows: Sequence[Row]) -> list[Section]:
    """The sections of one suite that have something to show."""
    makers = (
        forgetting_section,
        equal_cost_section,
        stages_section,
        tuning_section,
        _metrics_section,
        _elsewhere_section,
        _transfer_section,
        _wordings_section,
    )
    sections = [make(rows) for make in makers]
    return [section for section in sections if section.tables]


def estimates(row: Row) -> Iterator[Estimate]:
    """All that the sections show of a row with an interval."""
    yield from (metric.value for metric in row.metrics.values())
    yield from (probe.rounding for probe in row.forgetting.values() if probe.rounding)
    for away in row.elsewhere.values():
        yield from filter(None, (away.score, away.gain, away.over_best))
    yield from (transfer.rise for transfer in row.transfers)
    yield from row.wordings.scores.values() if row.wordings else ()


def _metrics_section(rows: Sequence[Row]) -> Section:
    measured_rows = [row for row in rows if row.metrics]
    kinds = dict.fromkeys(metric.quantity for row in measured_rows for metric in row.metrics.values())
    columns = [_metric_column(quantity, _lower_is_better(measured_rows, quantity.name)) for quantity in kinds]
    return Section("Other metrics", _uncaptioned_table(columns, measured_rows))


def _metric_column(quantity: Quantity, lower: bool) -> Column:
    def cell(row: Row) -> Cell:
        metric = row.metrics.get(quantity.name)
        return level_cell(metric.value, quantity) if metric else EMPTY

    term, of = (quantity.name, RATE_OF[quantity.name]) if quantity.name in RATE_OF else ("metric", "")
    return Column(term, "Task", of, "ascending" if lower else "descending", True, cell, quantity.name)


def _lower_is_better(rows: Sequence[Row], metric: str) -> bool:
    metrics_by_row = [row.outcome.metrics for row in rows if row.outcome]
    return any(metric in each and not each[metric].higher_is_better for each in metrics_by_row)


def _elsewhere_section(rows: Sequence[Row]) -> Section:
    rows_elsewhere = [row for row in rows if row.elsewhere]
    kinds_and_names = dict.fromkeys(
        (row.kind(name), name, away.quantity) for row in rows_elsewhere for name, away in row.elsewhere.items()
    )
    # A heading spans neighbours alone, so that columns of one kind are put side by side.
    columns = [
        _elsewhere_column(rows_elsewhere, *each)
        for each in sorted(kinds_and_names, key=lambda each: list(KINDS).index(each[0]))
    ]
    note = "Below each score stand its gain and what it adds to the base's best wording."
    return Section("Other tasks and domains", _uncaptioned_table(columns, rows_elsewhere), [note], ["elsewhere"])


def _elsewhere_column(rows: Sequence[Row], kind: str, name: str, quantity: Quantity) -> Column:
    def cell(row: Row) -> Cell:
        away = row.elsewhere.get(name)
        # One name may be a mixed-in task of one row and a domain of another.
        if away is None or away.quantity != quantity or row.kind(name) != kind:
            return EMPTY
        gains = [
            f"{what} {numbers.signed(over, quantity)}"
            for what, over in (("gain", away.gain), ("over best", away.over_best))
            if over
        ]
        return level_cell(away.score, quantity, "; ".join(gains))

    scores = [row.outcome.elsewhere[name].score for row in rows if row.outcome and name in row.elsewhere]
    # The first click puts the best first, which of perplexities are the lowest.
    first: Direction = "descending" if all(score.higher_is_better for score in scores) else "ascending"
    measured = f"{quantity.name}, {numbers.item_counts([score.n for score in scores])}"
    return Column("elsewhere", kind, measured, first, True, cell, name)


def _transfer_section(rows: Sequence[Row]) -> Section:
    mixing_rows = [row for row in rows if row.transfers]
    tasks = dict.fromkeys((each.task, each.quantity) for row in mixing_rows for each in row.transfers)
    return Section(
        "Transfer",
        _uncaptioned_table([_transfer_column(task, quantity) for task, quantity in tasks], mixing_rows),
        terms=["transfer"],
    )


def _transfer_column(task: str, quantity: Quantity) -> Column:
    def cell(row: Row) -> Cell:
        # Two suites may score a task of one name by unlike metrics.
        transfer = next((each for each in row.transfers if (each.task, each.quantity) == (task, quantity)), None)
        return difference_cell(transfer.rise, quantity, _mixed_against_alone(row, transfer)) if transfer else EMPTY

    return Column("transfer", "Mixed minus alone", f"{quantity.name}, {quantity.unit}", "descending", True, cell, task)


def _mixed_against_alone(row: Row, transfer: Transfer) -> str:
    """`.561 against .571 (instruction, 64 items)`"""
    levels = f"{numbers.level(transfer.together, transfer.quantity)} against {numbers.level(transfer.alone, transfer.quantity)}"
    return f"{levels} ({transfer.alone_as(row.setup.suite, len(row.records))}, {numbers.item_counts([transfer.items])})"


def _wordings_section(rows: Sequence[Row]) -> Section:
    groups = grouped([row for row in rows if row.wordings])
    tables = [(f"{model} on {task}", _wordings_board(group)) for (_, model, task), group in groups.items()]
    return Section("Wordings", tables, terms=["wordings", "spread"])


def _wordings_board(rows: Sequence[Row]) -> Board:
    wordings = dict.fromkeys(words for row in rows if row.wordings for words in row.wordings.scores)
    first: Direction = "descending" if rows[0].higher_is_better else "ascending"
    columns = [_wording_column(number, words, first) for number, words in enumerate(wordings, start=1)]
    items = numbers.item_counts([row.wordings.items for row in rows if row.wordings])
    spread = Column("spread", "", f"{rows[0].quantity.unit}, {items}", "ascending", True, _spread_cell)
    return tabled([STRATEGY, spread, *columns], rows)


def _wording_column(number: int, words: str, first: Direction) -> Column:
    def cell(row: Row) -> Cell:
        score = row.wordings.scores.get(words) if row.wordings else None
        return level_cell(score, row.quantity) if score else EMPTY

    return Column("wordings", "Score under each unseen instruction", words, first, True, cell, f"Wording {number}")


def _spread_cell(row: Row) -> Cell:
    if row.wordings is None:
        return EMPTY
    return Cell(numbers.span(row.wordings.spread, row.wordings.quantity), sortable(row.wordings.spread))


def _uncaptioned_table(columns: list[Column], rows: Sequence[Row]) -> list[tuple[str, Board]]:
    return [("", tabled([STRATEGY, MODEL, TASK, *columns], rows))] if columns else []

"""The wide table of the page: score, gain, forgetting and cost of each row."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bench.records.record import Cost
from bench.statistics.estimates import Estimate
from reports.boards.cells import (
    EMPTY,
    MODEL,
    STRATEGY,
    TASK,
    Bar,
    Board,
    Cell,
    Column,
    Direction,
    difference_cell,
    level_cell,
    rank_cell,
    sortable,
    tabled,
    words,
)
from reports.rows import numbers
from reports.rows.numbers import Quantity
from reports.rows.row import Row
from reports.rows.rows import probe_names
from reports.rows.standing import Standing

GAINED_AND_LOST = ("rank", "score", "gain", "over_best", "forgetting")
AT_FIRST = ("strategy", "model", "task", "seeds", *GAINED_AND_LOST, "training", "memory", "saved", "money")
"""Terms whose columns are there before a reader chooses others: who is ahead, how sure that is, what it forgot and cost."""


def wide_table(rows: Sequence[Row], standings: Sequence[Standing] = ()) -> Board:
    """The table of one suite's rows, with the places of each model's and task's."""
    return tabled([replace(column, shown=column.term in AT_FIRST) for column in _wide_columns(rows, standings)], rows)


def _wide_columns(rows: Sequence[Row], standings: Sequence[Standing]) -> list[Column]:
    tracks = _bar_tracks(rows)
    ends = ", ".join(f"{low:g} to {high:g}" for low, high in tracks.values())
    units = ", ".join(dict.fromkeys(quantity.unit for quantity in tracks))
    lower = any(row.score for row in rows) and not any(row.score and row.higher_is_better for row in rows)
    best_first: Direction = "ascending" if lower else "descending"
    rank = Column("rank", "Task", "of the score", "ascending", True, lambda row: rank_cell(row, standings))
    # Who asks an API does not know the model's size, nor the memory that it takes.
    devices = [_wide_cost_column("device_seconds", "seconds", lambda cost: cost.device_seconds, numbers.seconds)]
    money = [_wide_cost_column("money", "asked by an API", lambda cost: cost.money, numbers.money)]
    return [
        STRATEGY,
        MODEL,
        TASK,
        words("seeds", lambda row: Cell(row.seeds, len(row.records))),
        words("budget", lambda row: Cell(budget_of(row), budget_of(row))),
        *([rank] if standings else []),
        Column("score", "Task", f"bar {ends}" if ends else "", best_first, True, lambda row: _score_cell_with_bar(row, tracks)),
        Column("gain", "Task", units, "descending", True, _wide_gain_cell),
        Column("over_best", "Task", units, "descending", True, _wide_over_best_cell),
        *(_forgetting_column(name, quantity) for name, quantity in probe_names(rows).items()),
        _wide_cost_column("examples", "trained on", lambda cost: cost.train_examples, numbers.integer),
        _wide_cost_column("tokens", "trained on", lambda cost: cost.train_tokens, numbers.integer),
        _wide_cost_column("flops", "of training", lambda cost: cost.train_flops, numbers.scaled),
        _wide_cost_column("useful_flops", "text by text", lambda cost: cost.useful_flops, numbers.scaled),
        _wide_cost_column("training", "seconds", lambda cost: cost.train_seconds, numbers.seconds),
        *(devices if any(row.cost and _several_devices_trained(row.cost) for row in rows) else []),
        _wide_cost_column("evaluation", "seconds", lambda cost: cost.eval_seconds, numbers.seconds),
        _wide_cost_column("probing", "seconds of it", lambda cost: cost.probe_seconds, numbers.seconds),
        _wide_cost_column("memory", "peak, GB", lambda cost: cost.peak_memory_bytes, numbers.gigabytes),
        Column("trainable", "Cost", "parameters", "ascending", True, _wide_trainable_cell),
        _wide_cost_column("total", "parameters", lambda cost: cost.total_parameters, numbers.scaled),
        _wide_cost_column("saved", "size", lambda cost: cost.saved_bytes, lambda value: numbers.scaled(value, "B")),
        *(money if any(row.cost and row.cost.money is not None for row in rows) else []),
    ]


def budget_of(row: Row) -> str:
    """What the row might spend in training: nothing, if it trains nothing."""
    return row.budget or (numbers.MISSING if row.budget is None else "none")


def _several_devices_trained(cost: Cost) -> bool:
    """Whether several devices shared the training, so that their seconds are more than the clock's."""
    return bool(cost.device_seconds and cost.train_seconds and cost.device_seconds > cost.train_seconds)


def _bar_tracks(rows: Sequence[Row]) -> dict[Quantity, tuple[float, float]]:
    """Each score's quantity with its track: numbers of different measures share none."""
    measures = dict.fromkeys(row.quantity for row in rows if row.score)
    # A bar of an F1 on the track of a perplexity would be a dot at its edge.
    return {quantity: scale([row for row in rows if row.quantity == quantity]) for quantity in measures}


def scale(rows: Sequence[Row]) -> tuple[float, float]:
    """Ends of the score bars' common track: the tenths around all intervals, and never an empty track."""
    scores = [row.score for row in rows if row.score]
    ends = [end for score in scores for end in (score.value, score.low, score.high) if end is not None and math.isfinite(end)]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    # The last bit of a float takes no end into the next tenth.
    low, high = math.floor(low * 10 + 1e-9) / 10, math.ceil(high * 10 - 1e-9) / 10
    return (low, high) if high > low else (low, low + 0.1)


def fallen(row: Row) -> str:
    """How many of the row's runs collapsed, or nothing where none did."""
    return f"{row.collapsed} of {len(row.records)} collapsed" if row.collapsed else ""


def _score_cell_with_bar(row: Row, tracks: Mapping[Quantity, tuple[float, float]]) -> Cell:
    score = row.score
    if score is None:
        return EMPTY
    detail = "; ".join(filter(None, [numbers.seed_sd(score, row.quantity), fallen(row)]))
    return level_cell(score, row.quantity, detail, _score_bar(score, row.base_score, *tracks[row.quantity]))


def _score_bar(score: Estimate, base: float | None, low: float, high: float) -> Bar | None:
    ends = [end for end in (score.low, score.value, score.high) if end is not None and math.isfinite(end)]
    # A bar is drawn of an interval: a score without one stands as a number alone.
    if len(ends) < 3:
        return None

    def place(value: float) -> float:
        return round(100 * min(max((value - low) / (high - low), 0.0), 1.0), 2)

    left, middle, right = map(place, ends)
    # A base beyond the track would seem to stand at its end.
    return Bar(left, middle, right, place(base) if base is not None and low <= base <= high else None)


def _wide_gain_cell(row: Row) -> Cell:
    return difference_cell(row.gain, row.quantity, _base_score_text(row, row.base_score)) if row.gain else EMPTY


def _wide_over_best_cell(row: Row) -> Cell:
    best = row.outcome.best_base if row.outcome else None
    if row.over_best is None or best is None:
        return EMPTY
    return difference_cell(row.over_best, row.quantity, f"{_base_score_text(row, best.score)}, {best.style}")


def _base_score_text(row: Row, score: float | None) -> str:
    return f"base {numbers.level(score, row.quantity)}" if score is not None else ""


def _forgetting_column(name: str, quantity: Quantity) -> Column:
    def cell(row: Row) -> Cell:
        forgotten = row.forgetting.get(name)
        if forgotten is None:
            return EMPTY
        before, after = forgotten.before, forgotten.after
        if before is None or after is None:
            return difference_cell(forgotten.lost, quantity)
        detail = f"{numbers.level(before, quantity)} → {numbers.level(after, quantity)}"
        return difference_cell(forgotten.lost, quantity, detail)

    # The least loss is the best, and the column's first click shows it first.
    return Column("forgetting", "Forgetting (positive is loss)", quantity.unit, "ascending", True, cell, name)


def _wide_cost_column(term: str, note: str, take: Callable[[Cost], float | None], write: Callable[[float], str]) -> Column:
    """`take` gives None for what is not known."""

    def cell(row: Row) -> Cell:
        amount = take(row.cost) if row.cost else None
        return EMPTY if amount is None else Cell(write(amount), sortable(amount))

    return Column(term, "Cost", note, "ascending", True, cell)


def _wide_trainable_cell(row: Row) -> Cell:
    trainable = row.cost.trainable_parameters if row.cost else None
    if trainable is None:
        return EMPTY
    return Cell(numbers.scaled(trainable), trainable, detail=numbers.percent(row.trained_share))

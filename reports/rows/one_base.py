"""Rows that were asked in different words, held against one and the same base.

A row's gain is over the base in the row's own words: it says what training changed. An instruction that the base hardly follows
leaves much to gain, so that of two rows the worse may have gained more. Between rows the base in its best words counts.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from bench.statistics.draws import NEAR
from reports.rows.row import Row

BEST_WORDS = (
    "The untouched model does not score the same beside all rows, as they were asked in different words or came from different "
    "environments. Gains here are over the untouched model in its best words; a path begins where it stands in the row's own."
)


def one_base(rows: Sequence[Row]) -> bool:
    """Whether the gains of one suite's, model's and task's rows are all over the same base.

    The base's score tells, not its words: another version of torch may turn one of its answers too.
    """
    base_scores = [row.base_score for row in rows if row.gain and row.base_score is not None]
    return not base_scores or math.isclose(min(base_scores), max(base_scores), rel_tol=NEAR, abs_tol=NEAR)


def on_one_base(rows: Sequence[Row]) -> list[Row]:
    """The rows as they are where they have one base, else with gains over the base in its best words.

    At the end, on test items, those words are what validation items chose: a row whose record does not know that base has no
    gain. On the way, on validation items, they are the best of those in which any row was asked.
    """
    if one_base(rows):
        return list(rows)
    # Validation items know the base in the words of rows that were watched, and in no others.
    best = max((_base_on_the_way(row) for row in rows if row.curve), default=0.0)
    return [_rebased_row(row, best) for row in rows]


def _rebased_row(row: Row, best: float) -> Row:
    start = _base_on_the_way(row) - best if row.curve else 0.0
    curve = [point.model_copy(update={"gain": point.gain + start}) for point in row.curve]
    # A gain over the row's own base would stand beside gains over another.
    return replace(row, gain=row.over_best, curve=curve, start=start)


def _base_on_the_way(row: Row) -> float:
    """What the base in the row's words scored on validation items; more is better."""
    point = row.curve[0]
    return (point.score if row.higher_is_better else -point.score) - point.gain

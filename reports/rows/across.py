"""A suite's tasks together: rows by their share of the way from the untouched base to a perfect score, and by their places.

Scores of unlike metrics are never averaged as they are. Each is put as (score - base) / (perfect - base): 0 is the base in its
best words, as validation items choose them, the same for all rows, and 1 a score without a fault. Tasks count alike whatever
their metric's unit. A task whose score has no known perfect value, or whose base is perfect, has no such way and is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.statistics.across import (
    average_ranks,
    by_sign_test,
    critical_difference,
    interquartile_mean,
    stratified_bounds,
)
from bench.statistics.arrays import Floats
from bench.statistics.comparison import ranks
from reports.rows.row import Row

PERFECT = {"perplexity": 1.0, "bits_per_byte": 0.0}
"""Of scores that are no shares: of a text that is foretold for sure. A translation without a fault has no known BLEU."""


@dataclass(frozen=True)
class Overall:
    """One strategy over all tasks of a suite and model."""

    label: str
    middle: float
    """Interquartile mean of the normalised scores of all tasks and seeds."""
    bounds: tuple[float, float] | None
    rank: float
    """Mean place over tasks."""


@dataclass(frozen=True)
class Across:
    """The strategies that have a score on every task, the highest interquartile mean first."""

    suite: str
    model: str
    tasks: Sequence[str]
    rows: Sequence[Overall]
    left_out: Sequence[str] = ()
    """Labels of the strategies that have a score on some of the tasks, and not on all."""

    @property
    def places(self) -> list[tuple[int, int]]:
        """The best and the worst place, 1 the first, at which each row may stand: rows differ whose average ranks are farther
        apart than the critical difference."""
        averages = np.array([row.rank for row in self.rows])
        # Lower ranks are better, so that the second average is held against the first.
        return ranks(len(averages), averages[None, :] - averages[:, None] > self.critical)

    @property
    def critical(self) -> float:
        """The critical difference of average ranks."""
        return critical_difference(len(self.rows), len(self.tasks))

    @property
    def test(self) -> str:
        """Whose difference that is."""
        return "sign test" if by_sign_test(len(self.rows), len(self.tasks)) else "Nemenyi"

    @property
    def can_differ(self) -> bool:
        """Whether any two rows could be so far apart: at most one is the first on every task, and the other the last."""
        return self.critical < len(self.rows) - 1


def across(rows: Sequence[Row]) -> list[Across]:
    """Of each suite and model with several tasks and at least two strategies that have them all."""
    groups: dict[tuple[str, str], dict[str, dict[str, Row]]] = {}
    for row in rows:
        # Without the base's score the way from it to a perfect one has no beginning.
        if row.score and row.base_score is not None:
            by_task = groups.setdefault(row.group[:2], {}).setdefault(row.setup.task, {})
            by_task.setdefault(row.label, row)
    rankings = [_ranking_across(suite, model, tasks) for (suite, model), tasks in groups.items() if len(tasks) > 1]
    return [each for each in rankings if len(each.rows) > 1]


def _ranking_across(suite: str, model: str, tasks: dict[str, dict[str, Row]]) -> Across:
    # Seeds are redrawn task after task: a page and a terminal, which hold the rows in other orders, are to say the same.
    ways = {task: way for task, rows in sorted(tasks.items()) if (way := _base_and_perfect(list(rows.values())))}
    rows_by_task = [tasks[task] for task in ways]
    # A mean over other tasks would be another number.
    labels = [label for label in rows_by_task[0] if all(label in rows for rows in rows_by_task)] if rows_by_task else []
    scores = {label: [_normalised_scores(tasks[task][label], *way) for task, way in ways.items()] for label in labels}
    if len(ways) < 2 or not labels:
        return Across(suite, model, list(ways), [])
    # Ranks compare strategies task by task, where unlike metrics do no harm.
    places = average_ranks(np.array([[task.mean() for task in scores[label]] for label in labels]))
    overall = [
        Overall(label, interquartile_mean(scores[label]), stratified_bounds(scores[label]), float(place))
        for label, place in zip(labels, places, strict=True)
    ]
    known = dict.fromkeys(label for rows in rows_by_task for label in rows)
    left_out = [label for label in known if label not in labels]
    return Across(suite, model, list(ways), sorted(overall, key=lambda each: -each.middle), left_out)


def _base_and_perfect(rows: Sequence[Row]) -> tuple[float, float] | None:
    """The base's score and a perfect one; None where no perfect one is known, the base leaves nothing to gain, or rows have
    scores by two metrics, as of a task whose YAML got another first one in between."""
    if any(row.quantity != rows[0].quantity for row in rows):
        return None
    higher, quantity = rows[0].higher_is_better, rows[0].quantity
    perfect = float(higher) if quantity.share else PERFECT.get(quantity.name)
    best = [row.outcome.best_base.score for row in rows if row.outcome and row.outcome.best_base]
    # The base in the words that validation items chose, whichever rows stand beside; else in the best of the rows' own.
    bases = best or [row.base_score for row in rows if row.base_score is not None]
    base = max(bases) if higher else min(bases)
    return None if perfect is None or perfect == base else (base, perfect)


def _normalised_scores(row: Row, base: float, perfect: float) -> Floats:
    """(seeds,): of the way from the base to a perfect score. Below 0 is worse than the base."""
    values = np.array([run.outcome.score.value for run in row.records if run.outcome])
    return np.asarray((values - base) / (perfect - base), dtype=np.float64)

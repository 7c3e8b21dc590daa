"""What early stopping saw of a run, as text."""

from dataclasses import dataclass

from bench.records.record import Record
from reports.rows import numbers


@dataclass(frozen=True)
class Stopping:
    """The validation scores that early stopping saw, as the metric gives them, and the place of the one that was kept."""

    scores: list[str]
    kept: int


def stopping(run: Record) -> Stopping | None:
    """None where nothing was validated, and of several stages, each of which has kept the best by a task of its own. Records
    hold validation scores signed so that higher is better."""
    outcome = run.outcome
    if outcome is None or not outcome.validation or outcome.stages:
        return None
    sign = 1.0 if outcome.score.higher_is_better else -1.0
    scores = [numbers.level(sign * value, numbers.quantity_of(outcome.score)) for value in outcome.validation]
    # Of equal scores the first one's weights were kept.
    return Stopping(scores, outcome.validation.index(max(outcome.validation)))

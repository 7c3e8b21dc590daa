"""The trials of a folder in the terminal: `tunebench results --trials`."""

from collections.abc import Sequence

from bench.records.trial import TrialRecord
from reports.formats.console import add_cells, add_column, console, plain_table
from reports.rows import numbers
from reports.rows.numbers import Quantity

_HEADERS = {
    "run_id": "id",
    "model": "model",
    "task": "task",
    "strategy": "strategy",
    "hyperparameters": "tried",
    "seeds": "seed",
    "trial_score": "validation",
    "examples": "examples",
    "training": "train s",
    "status": "state",
}
"""What each column's term is called here."""
_NUMBERS = ("seeds", "trial_score", "examples", "training")


def print_trials(trials: Sequence[TrialRecord]) -> None:
    """A line per training of a trial: what was tried, what came out on validation items, and what it spent."""
    table = plain_table()
    table.title = f"{len(trials)} trainings of trials"
    for term, words in _HEADERS.items():
        add_column(table, term, words, justify="right" if term in _NUMBERS else "left")
    for trial in sorted(trials, key=_trial_order):
        setup, cost = trial.setup, trial.cost
        tried = ", ".join(f"{name}={value}" for name, value in trial.sampled.items())
        spent = (f"{cost.train_examples:,}", f"{cost.train_seconds:.1f}") if cost else (numbers.MISSING, numbers.MISSING)
        named = (trial.trial_id, setup.model, setup.task, setup.strategy, tried, str(setup.seed))
        add_cells(table, (*named, _trial_score(trial), *spent, trial.reason or trial.status))
    console().print(table)


def _trial_order(trial: TrialRecord) -> tuple[object, ...]:
    """By what was trained, the best first, those without a score last."""
    setup, worth = trial.setup, trial.worth
    # `worth` is such that more is better, also where the score itself should be low.
    return setup.model, setup.task, setup.strategy, worth is None, -(worth or 0.0), setup.seed, trial.trial_id


def _trial_score(trial: TrialRecord) -> str:
    score = trial.score
    return numbers.MISSING if score is None else numbers.level(score.value, Quantity(score.name, score.share))

"""Whether a trained model has collapsed: it gives one answer to everything, or is no better than a constant answer.

A mean over seeds hides such a run, and it is no sign of what the strategy can do.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from bench.measuring.scoring import value
from bench.records.outcome import Score
from bench.records.store import as_text
from bench.tasks.constant_answer import CONSTANT

TENTH = 10
"""The loss at either end of training is the mean over one step in so many."""
FELL = 0.9
"""A loss that ends above this share of where it began has hardly fallen."""


def collapsed(answered: pd.DataFrame, simple: Mapping[str, pd.DataFrame], score: Score, losses: Sequence[float]) -> str | None:
    """What shows that the model answers nothing of its own, and what to try; None where nothing does.

    Args:
        answered: the predictions of a trained model.
        simple: answers that need no model, to the same items.
        score: of the predictions.
        losses: of each step of the training on the task.
    """
    constant = simple.get(CONSTANT)
    if constant is None:
        return None
    sign = _one_answer(answered, constant) or _no_better(score, constant)
    return f"{sign}; {advice(losses)}" if sign else None


def _one_answer(answered: pd.DataFrame, constant: pd.DataFrame) -> str | None:
    answers, simplest = ([as_text(value) for value in frame["prediction"]] for frame in (answered, constant))
    if len(set(map(as_text, answered["gold"]))) < 2:
        return None  # then one answer may be the right one
    if answers == simplest:
        return f"all {len(answers)} answers are the simplest constant one"
    return f"all {len(answers)} answers are '{answers[0]}'" if len(set(answers)) == 1 else None


def _no_better(score: Score, constant: pd.DataFrame) -> str | None:
    bar = value(constant, score.name)
    above = score.value > bar if score.higher_is_better else score.value < bar
    if above:
        return None
    return f"its {score.name} of {score.value:.3f} is not better than the simplest constant answer's {bar:.3f}"


def advice(losses: Sequence[float]) -> str:
    """What to try next, from the course of the training loss."""
    part = max(1, len(losses) // TENTH)
    first, last = (sum(ends) / part for ends in (losses[:part], losses[-part:]))
    course = f"from {first:.3g} to {last:.3g}"
    # As far above the first loss as a fall must be below it to be one.
    if FELL * last > first:
        return f"its loss rose {course}: try a lower learning rate"
    if last > FELL * first:
        return f"its loss hardly changed, {course}: try more examples or a higher learning rate"
    return f"its loss fell {course}: try more examples or a lower learning rate"

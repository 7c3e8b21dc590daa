"""What answers that need no model score on a run's own test items: rows that a model must rise above."""

from collections.abc import Mapping

import pandas as pd

from bench.inference.evalset import EvalSet
from bench.inference.predictions import ItemPrediction, frame
from bench.measuring.scoring import scores
from bench.records.outcome import Score
from bench.tasks import constant_answer


def answers_without_model(evalset: EvalSet) -> dict[str, pd.DataFrame]:
    """Their predictions, by name."""
    return {
        name: frame(evalset, [ItemPrediction(answer(example), None) for example in evalset.examples])
        for name, answer in constant_answer.answerers(evalset.task, evalset.data).items()
    }


def simple_scores(answers: Mapping[str, pd.DataFrame], metric: str) -> dict[str, Score]:
    """What each of them scores."""
    return {name: scores(answered, [metric])[metric] for name, answered in answers.items()}

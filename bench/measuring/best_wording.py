"""In which of its wordings a base model does best, as validation items choose."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from bench.inference.evalset import EvalSet
from bench.measuring.evaluation import VALIDATION_ITEMS
from bench.measuring.scoring import worth
from bench.runs.run import Run
from bench.specs.wording import Wording


def wording_choice(run: Run, evalset: EvalSet) -> EvalSet | None:
    """The validation items of the set's task on which the base's wordings are compared; None where there is one wording.

    Not the test items: the better of two numbers on the same items is more often lucky than the other.
    """
    task = evalset.task
    # A text is read as it is, and without instructions there is one wording.
    if len(run.base_wordings) == 1 or task.asks == "read" or not task.spec.instructions:
        return None
    items = VALIDATION_ITEMS if task.spec.name == run.task.name else min(VALIDATION_ITEMS, run.other_items)
    return replace(evalset, split="validation", items=items, paraphrase=None)


def best_wording(run: Run, evalset: EvalSet, predictions: Callable[[EvalSet], pd.DataFrame]) -> Wording:
    """That of the base's wordings which scores best on validation items of the set's task; of equals the first.

    Args:
        predictions: what the base answers to the examples of a set, in the set's words.
    """
    wordings, validation = run.base_wordings, wording_choice(run, evalset)
    if validation is None:
        return wordings[0]
    metric = validation.task.spec.metrics[0]
    return max(wordings, key=lambda wording: worth(predictions(replace(validation, wording=wording)), metric))

"""The base's wording is chosen on validation items, where there is a choice."""

from dataclasses import replace

import pandas as pd
import pytest

from bench.measuring import best_wording
from bench.tasks.types import task_type


@pytest.fixture
def decoding_session(planned, opened, decoder_folder):
    """Of a model that can be asked plainly and by instruction."""
    return opened(planned("full", "sentiment", decoder_folder))


def changed(evalset, **fields):
    """The set of a task that differs in these fields."""
    return replace(evalset, task=task_type(evalset.task.spec.model_copy(update=fields)))


@pytest.mark.parametrize(
    ("plain", "instruction", "chosen"), [(0.75, 0.5, "plain"), (0.25, 0.5, "instruction"), (0.5, 0.5, None)]
)
def test_validation_items_choose_and_of_equals_the_first_is_taken(decoding_session, plain, instruction, chosen):
    run, asked = decoding_session.run, []

    def predictions(evalset):
        asked.append((evalset.split, len(evalset.examples)))
        right = round({"plain": plain, "instruction": instruction}[evalset.wording.style] * len(evalset.examples))
        given = [example.gold if index < right else "wrong" for index, example in enumerate(evalset.examples)]
        return pd.DataFrame({"gold": [example.gold for example in evalset.examples], "prediction": given})

    best = best_wording.best_wording(run, decoding_session.sets.test, predictions)
    assert best.style == (chosen or run.base_wordings[0].style)
    assert asked == [("validation", best_wording.VALIDATION_ITEMS)] * 2


def test_where_there_is_one_wording_nobody_is_asked(decoding_session):
    uninstructed = changed(decoding_session.sets.test, instructions=None)
    assert best_wording.wording_choice(decoding_session.run, uninstructed) is None
    best = best_wording.best_wording(decoding_session.run, uninstructed, lambda _: pytest.fail("the base was asked"))
    assert best == decoding_session.run.base_wordings[0]


def test_another_task_has_no_more_validation_items_than_its_test_has(decoding_session):
    run, elsewhere = replace(decoding_session.run, other_items=3), changed(decoding_session.sets.test, name="another")
    assert best_wording.wording_choice(run, decoding_session.sets.test).items == best_wording.VALIDATION_ITEMS
    assert best_wording.wording_choice(run, elsewhere).items == 3

"""What came out of a run: numbers that are finite, and counts that are counts."""

import pytest
from pydantic import ValidationError

from bench.records.outcome import Delta, Forgetting, Gain, Outcome, Robustness, Score

SCORE = {"name": "accuracy", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 10}


def test_keys():
    keys = """score metrics signatures base_score gain best_base references collapsed elsewhere robustness forgetting
    relative_forgetting curve stages losses validation drew asked"""
    assert list(Outcome.model_fields) == keys.split()
    assert list(Gain.model_fields) == ["value", "ci_low", "ci_high"] and "contaminated" not in Forgetting.model_fields


def test_score_alone_is_an_outcome():
    found = Outcome(score=SCORE)
    assert found.gain is found.robustness is found.stages is found.asked is None
    assert found.forgetting == found.metrics == found.elsewhere == {} and found.losses == []
    with pytest.raises(ValidationError, match="score"):
        Outcome(metrics={"accuracy": SCORE})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("part", [Gain, Delta])
def test_numbers_are_finite(part, number):
    with pytest.raises(ValidationError, match="finite"):
        part(value=number)
    with pytest.raises(ValidationError, match="finite"):
        part(value=0.0, ci_low=number)


def test_score_is_over_items():
    with pytest.raises(ValidationError, match="n"):
        Score(**SCORE | {"n": 0})


def test_spread_is_best_minus_worst():
    scores = {words: SCORE | {"value": value} for words, value in (("a", 0.5), ("b", 0.75), ("c", 0.625))}
    assert Robustness(scores=scores).spread == 0.25

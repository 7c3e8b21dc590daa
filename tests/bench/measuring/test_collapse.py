"""Collapsed runs are told from those that answer for themselves, and each is told what to try."""

import pandas as pd
import pytest

from bench.measuring import collapse
from bench.measuring.scoring import scores

FALLING = [2.0] * 5 + [0.2] * 5


def told(gold, said, constant, losses=FALLING, name="accuracy"):
    frame = pd.DataFrame({"gold": gold, "prediction": said})
    simplest = {"constant answer": frame.assign(prediction=constant)} if constant else {}
    return collapse.collapsed(frame, simplest, scores(frame, [name])[name], losses)


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        ("aaaa", "all 4 answers are the simplest constant one"),
        ("bbbb", "all 4 answers are 'b'"),
        ("aaab", None),
        ("abab", "its accuracy of 0.750 is not better than the simplest constant answer's 0.750"),
        ("abaa", "its accuracy of 0.500 is not better than the simplest constant answer's 0.750"),
    ],
)
def test_one_answer_to_all_or_none_better_than_a_constant(said, sign):
    found = told(list("aaab"), list(said), ["a"] * 4)
    assert found is None if sign is None else found.startswith(sign)


def test_no_entity_at_all_is_one_answer():
    gold = [["B-X", "O"], ["O"], ["O", "B-X", "I-X"]]
    nothing = [["O"] * len(tags) for tags in gold]
    assert "constant" in told(gold, nothing, nothing, name="entity_f1")
    assert told(gold, [["B-X", "O"], *nothing[1:]], nothing, name="entity_f1") is None


def test_one_answer_may_be_the_right_one():
    found = told(["a"] * 3, ["a"] * 3, ["b"] * 3)
    assert found is None


def test_a_corpus_has_no_constant_answer():
    assert told(["a", "b"], ["a", "a"], None) is None


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([1.0] * 10 + [3.0] * 10, "its loss rose from 1 to 3: try a lower learning rate"),
        ([2.0] * 10 + [1.9] * 10, "its loss hardly changed, from 2 to 1.9: try more examples or a higher learning rate"),
        (FALLING, "its loss fell from 2 to 0.2: try more examples or a lower learning rate"),
        ([0.7], "its loss hardly changed, from 0.7 to 0.7: try more examples or a higher learning rate"),
        # Of four choices, neither learned nor unlearned: it was said to have risen, and a lower rate advised.
        ([1.3864, 1.388], "its loss hardly changed, from 1.39 to 1.39: try more examples or a higher learning rate"),
        ([0.69, 0.776], "its loss rose from 0.69 to 0.776: try a lower learning rate"),
    ],
)
def test_what_to_try_follows_from_the_loss(losses, said):
    assert collapse.advice(losses) == said

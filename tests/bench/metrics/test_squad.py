"""SQuAD's exact match and F1 against torchmetrics on random answers, and what the official script says of no answer."""

import re
import string

import numpy as np
import pytest
from torchmetrics.functional.text import squad

from bench import metrics

WORDS = [
    "the",
    "a",
    "An",
    "cat",
    "Cats",
    "U.S.A.",
    "état",
    "naïve",
    "İ",
    "1,000",
    "don't",
    "…",
    "«oui»",
    "-",
    "a-the",
    "the\u00a0cat",
    "猫",
    "!",
]
GAPS = [" ", "  ", "\t", "\n", ""]


def text(generator: np.random.Generator) -> str:
    words = generator.choice(WORDS, size=generator.integers(0, 5))
    return "".join(str(word) + str(generator.choice(GAPS)) for word in words)


def test_each_item_equals_torchmetrics():
    generator, partly = np.random.default_rng(0), 0
    em, f1 = metrics.counted("squad_em"), metrics.counted("squad_f1")
    for _ in range(1000):
        given = golds = [text(generator) for _ in range(generator.integers(1, 4))]
        guess = golds[0].upper() if generator.random() < 0.2 else text(generator)
        # torchmetrics has the script of SQuAD 1.1; that of 2.0 first drops gold answers of which nothing is left.
        bare = [gold.lower().translate(str.maketrans("", "", string.punctuation)) for gold in golds]
        golds = [gold for gold, text in zip(golds, bare, strict=True) if re.sub(r"\b(a|an|the)\b", "", text).strip()] or [""]
        answers = {"answers": {"answer_start": [0] * len(golds), "text": golds}, "id": "1"}
        expected = squad([{"prediction_text": guess, "id": "1"}], [answers])
        assert 100 * em.value([guess], [given]) == pytest.approx(float(expected["exact_match"])), (guess, golds)
        assert 100 * f1.value([guess], [given]) == pytest.approx(float(expected["f1"]), abs=1e-4), (guess, golds)
        partly += 0 < expected["f1"] < 100
    assert partly > 100


@pytest.mark.parametrize("name", ["squad_em", "squad_f1"])
@pytest.mark.parametrize(
    ("guess", "golds", "expected"),
    [
        ("", [], 1),
        ("", [""], 1),
        ("The.", [], 1),
        ("cat", [], 0),
        ("", ["cat"], 0),
        ("cat", ["dog", "the Cat!"], 1),
        ("", ["A", "cat"], 0),
    ],
)
def test_no_answer(name: str, guess: str, golds: list[str], expected: float):
    assert metrics.counted(name).value([guess], [golds]) == expected


def test_half_of_the_words():
    # Two of three words on each side: precision and recall 2/3.
    assert metrics.counted("squad_f1").value(["big black cat"], [["black cat sleeps"]]) == pytest.approx(2 / 3)

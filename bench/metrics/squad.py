"""Answers in words, by the rule of SQuAD (Rajpurkar et al. 2016, 2018): the best of the gold answers counts.

A question without an answer has no gold answer, or an empty one; the right prediction is then the empty string.
"""

import re
import string
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.metrics.base import Mean

PUNCTUATION = str.maketrans("", "", string.punctuation)
ARTICLES = re.compile(r"\b(a|an|the)\b")


def tokens(text: str) -> list[str]:
    """Words without case, ASCII punctuation and articles."""
    # In the order of SQuAD's own script: without its hyphen `the-best` is one word, and keeps its article.
    return ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split()


def _with_words(golds: Sequence[str]) -> Sequence[str]:
    """The gold answers of which words are left, as in SQuAD's own script: else an answer that is an article alone would make
    the empty string right. Without any, that string."""
    return [gold for gold in golds if tokens(gold)] or [""]


class _Squad(Mean):
    reference = list[str]

    @abstractmethod
    def match(self, guess: list[str], gold: list[str]) -> float:
        """How well the words of a prediction match those of a gold answer, in [0, 1]."""

    def values(self, predictions: Sequence[Any], references: Sequence[Any]) -> Sequence[float]:
        return [
            max(self.match(tokens(guess), tokens(gold)) for gold in _with_words(golds))
            for guess, golds in zip(predictions, references, strict=True)
        ]


class ExactMatch(_Squad):
    name = "squad_em"
    description = "share of predictions that equal a gold answer but for case, punctuation, articles and white space"

    def match(self, guess: list[str], gold: list[str]) -> float:
        return float(guess == gold)


class F1(_Squad):
    name = "squad_f1"
    description = "mean F1 of the words of a prediction and the nearest gold answer"
    graded = True

    def match(self, guess: list[str], gold: list[str]) -> float:
        if not guess or not gold:
            return float(guess == gold)
        return 2 * (Counter(guess) & Counter(gold)).total() / (len(guess) + len(gold))

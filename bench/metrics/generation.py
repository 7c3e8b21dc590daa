"""Metrics of written text against one or more references: sacrebleu's BLEU and chrF, rouge-score's ROUGE, at their defaults."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from bench.errors import UserError
from bench.metrics.base import Counted, Mean
from bench.statistics.arrays import Floats
from bench.statistics.intervals import Scale


def _text_pairs(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> list[tuple[str, list[str]]]:
    pairs = [(guess, list(golds)) for guess, golds in zip(predictions, references, strict=True)]
    missing = next((number for number, (_, golds) in enumerate(pairs, start=1) if not golds), None)
    if missing:
        raise UserError(f"item {missing}: there is no reference to compare the text with; give at least one")
    return pairs


class _Sacrebleu(Counted):
    """Statistics of a sentence are summed over the corpus before the score is made of them, which runs from 0 to 100."""

    share = False
    reference = list[str]

    @property
    def scale(self) -> Scale:
        return "percent"

    @cached_property
    @abstractmethod
    def scorer(self) -> Any:
        """sacrebleu's metric."""

    def signature(self, references: Sequence[Any]) -> str | None:
        """sacrebleu's own (Post 2018): number of references, tokenisation, smoothing, version."""
        counts = {len(golds) for golds in references}
        self.scorer.num_refs = counts.pop() if len(counts) == 1 else "var"  # as corpus_score would set it
        return str(self.scorer.get_signature().format())

    def counts(self, predictions: Sequence[Any], references: Sequence[Any]) -> Floats:
        # A sentence's statistics are not in the public interface; sacrebleu's own significance tests use them so.
        statistics = [
            self.scorer._extract_corpus_statistics([guess], [[gold] for gold in golds])[0]
            for guess, golds in _text_pairs(predictions, references)
        ]
        return np.array(statistics, dtype=np.float64)

    def number(self, totals: Floats) -> Floats:
        return np.apply_along_axis(lambda row: self.scorer._compute_score_from_stats(row.tolist()).score, -1, totals)

    def weights(self, counts: Floats) -> Floats:
        # Both metrics' first two columns are the lengths of a text and of its reference: in BLEU's words, or chrF's characters.
        return counts[..., 0] + counts[..., 1]


class Bleu(_Sacrebleu):
    name = "bleu"
    description = "corpus BLEU (Papineni et al. 2002), 0 to 100"

    @cached_property
    def scorer(self) -> Any:
        from sacrebleu import BLEU

        return BLEU()


class Chrf(_Sacrebleu):
    name = "chrf"
    description = "corpus chrF2 (Popovic 2015), 0 to 100"

    @cached_property
    def scorer(self) -> Any:
        from sacrebleu import CHRF

        return CHRF()


class _Rouge(Mean):
    reference = list[str]
    graded = True

    @cached_property
    def scorer(self) -> Any:
        from rouge_score.rouge_scorer import RougeScorer

        return RougeScorer([self.name])

    def values(self, predictions: Sequence[Any], references: Sequence[Any]) -> Sequence[float]:
        pairs = _text_pairs(predictions, references)
        return [self.scorer.score_multi(golds, guess)[self.name].fmeasure for guess, golds in pairs]


class RougeL(_Rouge):
    name = "rougeL"
    description = "mean F-measure of the longest common subsequence with the best reference (Lin 2004)"


class Rouge1(_Rouge):
    name = "rouge1"
    description = "mean F-measure of the words in common with the best reference (Lin 2004)"

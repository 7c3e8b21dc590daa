"""A row's scores under each unseen instruction alone, as means over its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from bench.records.outcome import Outcome
from bench.statistics.estimates import Estimate
from reports.rows import answers
from reports.rows.means import Items, mean_score
from reports.rows.numbers import Quantity, quantity_of
from reports.rows.spreads import SeedSpreads


@dataclass(frozen=True)
class Wordings:
    """The score under each unseen instruction, and the means over runs of the worst and of the best of them."""

    quantity: Quantity
    scores: Mapping[str, Estimate]
    low: float
    high: float
    items: int

    @property
    def spread(self) -> float:
        """Best minus worst within a run, mean over runs."""
        return self.high - self.low


def mean_wordings(outcomes: Sequence[Outcome], items: Items, seeds: SeedSpreads) -> Wordings | None:
    """None unless every run has them."""
    by_wording = [each.robustness.scores for each in outcomes if each.robustness and each.robustness.scores]
    if len(by_wording) < len(outcomes):
        return None
    first = next(iter(by_wording[0].values()))
    scores_by_wording = {
        words: mean_score(
            [each[words] for each in by_wording],
            answers.wording_answers(items, words, first.name),
            seeds.of(partial(_wording_score, words)),
        )
        for words in by_wording[0]
        if all(words in each for each in by_wording)
    }
    # Runs may differ in which wording is worst: the ends are taken within each run, and averaged afterwards.
    low, high = (fmean(end(s.value for s in each.values()) for each in by_wording) for end in (min, max))
    return Wordings(quantity_of(first), scores_by_wording, low, high, first.n)


def _wording_score(words: str, outcome: Outcome) -> float | None:
    scores = outcome.robustness.scores if outcome.robustness else {}
    return scores[words].value if words in scores else None

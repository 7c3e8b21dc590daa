"""Questions with choices: the log-odds of the gold choice among them, and whether it is the likeliest.

A choice's likelihood is that of its tokens after the question, summed (lm-evaluation-harness' `acc`), or divided by the
choice's length (`acc_norm` counts characters). With `blank` the choices fill a place in the question, and what stands after
that place is scored under each of them (partial scoring, Trinh & Le 2018).
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import model_validator

from bench.inference.backend import Backend
from bench.probes.base import Probe, ProbeOptions
from bench.specs.probe import ProbeSpec


class ScoringOptions(ProbeOptions):
    normalised: Literal["characters", "bytes"] | None = None
    """What a log-likelihood is divided by: the choice's length without the space before it."""
    blank: str | None = None
    """The mark of the place in the question that the choices fill."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.blank and self.normalised:
            raise ValueError("with blank all choices have the same continuation: there is no length to normalise by")
        return self


class MultipleChoice(Probe):
    family = "decoder"
    uses = "loglikelihoods"
    allowed = ScoringOptions
    value = "log-odds of the gold choice (nats)"
    higher_is_better = True
    share = False
    discordance = 0.15
    needs = frozenset({"question", "choices", "gold"})
    lists = frozenset({"choices"})

    @classmethod
    def fault(cls, row: Mapping[str, Any], spec: ProbeSpec) -> str | None:
        choices, gold, blank = row["choices"], row["gold"], spec.options.get("blank")
        if not isinstance(choices, list) or len(choices) < 2 or not all(choices):
            return "field 'choices' must be a list of at least two, none of them empty"
        if not gold.isdecimal() or int(gold) >= len(choices):
            return f"field 'gold' must be the number of a choice, from 0 to {len(choices) - 1}, not '{gold}'"
        if blank and not row["question"].partition(blank)[2].strip():
            return f"field 'question' must have the blank '{blank}' and words after it"
        return None

    def measure(self, backend: Backend) -> pd.DataFrame:
        """`value` is the gold choice's score minus the log-sum-exp of the others': the log-odds of the gold choice where one of
        them is drawn in proportion to e to its score. `right` says whether it has the highest; `gold_nats` is its score.
        """
        requests = [request for row in self.rows for request in self.requests(self._pairs(row))]
        totals = iter(answer.total for answer in backend.loglikelihoods(requests))
        scores = [[next(totals) / self._length(choice) for choice in row["choices"]] for row in self.rows]
        chosen = [max(range(len(row)), key=row.__getitem__) for row in scores]
        gold = [int(row["gold"]) for row in self.rows]
        right = [float(guess == truth) for guess, truth in zip(chosen, gold, strict=True)]
        golds = [row[truth] for row, truth in zip(scores, gold, strict=True)]
        rest = [np.logaddexp.reduce(row[:truth] + row[truth + 1 :]) for row, truth in zip(scores, gold, strict=True)]
        odds = [float(ours - others) for ours, others in zip(golds, rest, strict=True)]
        return self.frame(odds, gold=gold, prediction=chosen).assign(right=right, gold_nats=golds)

    def _pairs(self, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        """A context and a continuation per choice."""
        if not self.options.blank:
            # The space belongs to the choice: with BPE a word behind a space is another token.
            return [(row["question"], f" {choice}") for choice in row["choices"]]
        before, _, after = row["question"].partition(self.options.blank)
        # As lm-evaluation-harness asks WinoGrande.
        return [(f"{before}{choice}", f" {after.strip()}") for choice in row["choices"]]

    def _length(self, choice: str) -> int:
        """What the choice's log-likelihood is divided by."""
        if self.options.normalised is None:
            return 1
        return len(choice if self.options.normalised == "characters" else choice.encode())

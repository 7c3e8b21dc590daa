"""Questions with choices: right when the gold choice has the highest log-likelihood, summed over its tokens."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from torch import nn

from bench.likelihood import likelihoods
from bench.probes.base import Probe


class MultipleChoice(Probe):
    family = "decoder"
    value = "accuracy"
    higher_is_better = True
    share = True
    needs = frozenset({"question", "choices", "gold"})

    @classmethod
    def fault(cls, row: Mapping[str, Any]) -> str | None:
        choices, gold = row["choices"], row["gold"]
        if not isinstance(choices, list) or len(choices) < 2:
            return "field 'choices' must be a list of at least two"
        if not gold.isdecimal() or int(gold) >= len(choices):
            return f"field 'gold' must be the number of a choice, from 0 to {len(choices) - 1}, not '{gold}'"
        return None

    def measure(self, model: nn.Module) -> pd.DataFrame:
        encoding = self.encoding
        requests, owners = [], []
        for number, row in enumerate(self.rows):
            for choice in row["choices"]:
                ids = encoding.ids(f" {choice}", special=False)
                requests.append((encoding.fitted(encoding.ids(row["question"]), answer=len(ids)), ids))
                owners.append(number)
        found = likelihoods(model, requests, encoding.model.tokenizer.pad_token_id, self.tokens)
        scores: list[list[float]] = [[] for _ in self.rows]
        for owner, answer in zip(owners, found, strict=True):
            scores[owner].append(answer.total)
        chosen = [max(range(len(choices)), key=choices.__getitem__) for choices in scores]
        gold = [int(row["gold"]) for row in self.rows]
        right = [float(guess == truth) for guess, truth in zip(chosen, gold, strict=True)]
        return self.frame(right, gold=gold, prediction=chosen)

"""The word that ends a passage: right when each of its tokens is the model's most likely one (Paperno et al. 2016)."""

import pandas as pd
from torch import nn

from bench.likelihood import likelihoods
from bench.probes.base import Probe


class Cloze(Probe):
    family = "decoder"
    value = "accuracy"
    higher_is_better = True
    share = True
    needs = frozenset({"text", "answer"})

    def measure(self, model: nn.Module) -> pd.DataFrame:
        encoding = self.encoding
        requests = [
            (encoding.fitted(encoding.ids(row["text"]), answer=8), encoding.ids(f" {row['answer']}", special=False)[:8])
            for row in self.rows
        ]
        found = likelihoods(model, requests, encoding.model.tokenizer.pad_token_id, self.tokens)
        return self.frame(
            [float(answer.greedy) for answer in found],
            gold=[row["answer"] for row in self.rows],
            prediction=[f"{answer.total:.6f} nats" for answer in found],
        )

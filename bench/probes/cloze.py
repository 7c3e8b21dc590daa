"""The word that ends a passage: right when each of its tokens is the model's most likely one (Paperno et al. 2016)."""

import pandas as pd

from bench.inference.backend import Backend
from bench.probes.base import Columns, Probe


class Cloze(Probe):
    family = "decoder"
    uses = "loglikelihoods"
    value = "accuracy"
    higher_is_better = True
    share = True
    needs = frozenset({"text", "answer"})

    def measure(self, backend: Backend) -> pd.DataFrame:
        """Beside the usual columns the answer's log-likelihood, `nats`."""
        requests = [request for row in self.rows for request in self.requests([(row["text"], f" {row['answer']}")])]
        likelihoods = backend.loglikelihoods(requests)
        return self.frame(
            [float(answer.greedy) for answer in likelihoods],
            gold=[row["answer"] for row in self.rows],
            prediction=[f"{answer.total:.6f} nats" for answer in likelihoods],
        ).assign(nats=[answer.total for answer in likelihoods])

    def others(self, before: Columns, after: Columns) -> dict[str, tuple[float, float]]:
        return {"loss (nats per answer)": (-float(before["nats"].mean()), -float(after["nats"].mean()))}

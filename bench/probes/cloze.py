"""The word that ends a passage: how likely the model finds it, and whether it would write it: right when each of its tokens is
the model's most likely one (Paperno et al. 2016)."""

import pandas as pd

from bench.inference.backend import Backend
from bench.probes.base import Probe


class Cloze(Probe):
    family = "decoder"
    uses = "loglikelihoods"
    value = "log-likelihood (nats per answer)"
    higher_is_better = True
    share = False
    discordance = 0.15
    needs = frozenset({"text", "answer"})

    def measure(self, backend: Backend) -> pd.DataFrame:
        """`value` is the answer's log-likelihood; `right` whether it is the greedy continuation."""
        # A call for each row: those of one call are all cut for the longest continuation among them.
        requests = [request for row in self.rows for request in self.requests([(row["text"], f" {row['answer']}")])]
        likelihoods = backend.loglikelihoods(requests)
        return self.frame([answer.total for answer in likelihoods], gold=[row["answer"] for row in self.rows]).assign(
            right=[float(answer.greedy) for answer in likelihoods]
        )

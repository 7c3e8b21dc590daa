"""Two sentences that differ in one point of grammar: right when the good one is likelier as a whole (Warstadt et al. 2020)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bench.inference.backend import Backend
from bench.probes.base import Probe
from bench.specs.probe import ProbeSpec


class MinimalPairs(Probe):
    """The first token counts too: it is predicted from BOS, or from EOS where a model has no BOS."""

    family = "decoder"
    uses = "loglikelihoods"
    value = "accuracy"
    higher_is_better = True
    share = True
    needs = frozenset({"good", "bad"})

    @classmethod
    def fault(cls, row: Mapping[str, Any], spec: ProbeSpec) -> str | None:
        return "fields 'good' and 'bad' are the same; drop the row" if row["good"] == row["bad"] else None

    def measure(self, backend: Backend) -> pd.DataFrame:
        """Beside the usual columns the sentences' log-likelihoods, `good_nats` and `bad_nats`."""
        requests = [request for row in self.rows for request in self.requests([("", row["good"]), ("", row["bad"])])]
        totals = [answer.total for answer in backend.loglikelihoods(requests)]
        good, bad = totals[::2], totals[1::2]
        right = [float(a > b) for a, b in zip(good, bad, strict=True)]
        return self.frame(right).assign(good_nats=good, bad_nats=bad)

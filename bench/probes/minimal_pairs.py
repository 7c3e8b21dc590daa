"""Two sentences that differ in one point of grammar: how much likelier the good one is as a whole, and whether it is (Warstadt
et al. 2020)."""

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
    value = "log-odds of the good sentence (nats)"
    higher_is_better = True
    share = False
    needs = frozenset({"good", "bad"})

    @classmethod
    def fault(cls, row: Mapping[str, Any], spec: ProbeSpec) -> str | None:
        return "fields 'good' and 'bad' are the same; drop the row" if row["good"] == row["bad"] else None

    def measure(self, backend: Backend) -> pd.DataFrame:
        """`value` is the good sentence's log-likelihood minus the bad one's, `right` whether that is above zero; `good_nats` is
        the good one's own.
        """
        requests = [request for row in self.rows for request in self.requests([("", row["good"]), ("", row["bad"])])]
        totals = [answer.total for answer in backend.loglikelihoods(requests)]
        good, bad = totals[::2], totals[1::2]
        right = [float(a > b) for a, b in zip(good, bad, strict=True)]
        odds = [a - b for a, b in zip(good, bad, strict=True)]
        return self.frame(odds).assign(right=right, good_nats=good)

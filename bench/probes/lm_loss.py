"""Language-modelling loss on plain text: nats per token, averaged over tokens; bits per byte beside it.

Every token of a passage is counted, in windows where it is longer than the model reads (bench/inference/passages.py).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bench.inference.backend import Backend
from bench.inference.passages import passage_losses
from bench.probes.base import Columns, Probe
from bench.specs.probe import ProbeSpec


class LmLoss(Probe):
    family = "decoder"
    uses = "losses"
    value = "loss (nats per token)"
    higher_is_better = False
    share = False
    spread = 0.1
    needs = frozenset({"text"})

    @classmethod
    def fault(cls, row: Mapping[str, Any], spec: ProbeSpec) -> str | None:
        # Chinese, Japanese and Thai have no space between words.
        several = len(row["text"].split()) > 1 or not row["text"].isascii()
        return None if several else "field 'text' must have at least two words: one predicts the next"

    def measure(self, backend: Backend) -> pd.DataFrame:
        """Columns `value` (nats per token), `weight` (tokens predicted) and `bytes` (of the text predicted, in UTF-8)."""
        losses = passage_losses(backend, self.encoding, [row["text"] for row in self.rows])
        means = [loss.nats / loss.tokens for loss in losses]
        weights = [float(loss.tokens) for loss in losses]
        return self.frame(means, weights).assign(bytes=[float(loss.bytes) for loss in losses])

    def others(self, before: Columns, after: Columns) -> dict[str, tuple[float, float]]:
        return {"bits per byte": (bits_per_byte(before), bits_per_byte(after))}


def bits_per_byte(items: Columns) -> float:
    """Nats over all tokens, in bits, over the bytes that they spell: comparable between tokenizers (Gao et al. 2020)."""
    return float(np.dot(items["value"], items["weight"]) / math.log(2) / items["bytes"].sum())

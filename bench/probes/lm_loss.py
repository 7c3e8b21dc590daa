"""Language-modelling loss on plain text: nats per token, averaged over tokens; bits per byte beside it.

Passages longer than the model reads are cut into windows that overlap by half, and every token is counted in exactly one of
them, with what stands before it in its window as context. A passage's first token is predicted only where the tokenizer puts
a BOS before it.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bench.inference.backend import Backend
from bench.probes.base import Columns, Probe
from bench.specs.probe import ProbeSpec
from bench.tokens.encoded import Encoded


class LmLoss(Probe):
    family = "decoder"
    uses = "losses"
    value = "loss (nats per token)"
    higher_is_better = False
    share = False
    needs = frozenset({"text"})

    @classmethod
    def fault(cls, row: Mapping[str, Any], spec: ProbeSpec) -> str | None:
        return None if len(row["text"].split()) > 1 else "field 'text' must have at least two words: one predicts the next"

    def measure(self, backend: Backend) -> pd.DataFrame:
        """Columns `value` (nats per token), `weight` (tokens predicted) and `bytes` (of the text predicted, in UTF-8)."""
        passages = [tuple(self.encoding.ids(row["text"])) for row in self.rows]
        cuts = [(n, *cut) for n, ids in enumerate(passages) for cut in windows(len(ids), self.encoding.max_length)]
        texts = [Encoded(passages[n][start:end], answer=counted) for n, start, end, counted in cuts]
        nats = [0.0] * len(passages)
        sums = backend.losses(texts)
        for (n, *_), total in zip(cuts, sums, strict=True):
            nats[n] += total
        counts = [len(ids) - 1 for ids in passages]
        means = [total / count for total, count in zip(nats, counts, strict=True)]
        return self.frame(means, [float(count) for count in counts]).assign(bytes=[float(b) for b in self._bytes(passages)])

    def _bytes(self, passages: list[tuple[int, ...]]) -> list[int]:
        """UTF-8 bytes of what is predicted: the text without its first token, or all of it behind a BOS."""
        tokenizer = self.encoding.model.tokenizer
        firsts = [str(tokenizer.decode([ids[0]], skip_special_tokens=True)) for ids in passages]
        return [len(row["text"].encode()) - len(first.encode()) for row, first in zip(self.rows, firsts, strict=True)]

    def others(self, before: Columns, after: Columns) -> dict[str, tuple[float, float]]:
        return {"bits per byte": (bits_per_byte(before), bits_per_byte(after))}


def bits_per_byte(items: Columns) -> float:
    """Nats over all tokens, in bits, over the bytes that they spell: comparable between tokenizers (Gao et al. 2020)."""
    return float(np.dot(items["value"], items["weight"]) / math.log(2) / items["bytes"].sum())


def windows(length: int, size: int) -> list[tuple[int, int, int]]:
    """(start, end, counted): the last `counted` of the tokens start..end are predicted, every token but the first once."""
    end = min(length, size)
    cuts = [(0, end, end - 1)]
    while end < length:
        before, end = end, min(end + size // 2, length)
        cuts.append((end - size, end, end - before))
    return cuts

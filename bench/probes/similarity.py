"""Sentence similarity of an encoder: does the cosine of mean-pooled embeddings order pairs as people do?

Pairs that are related or not are judged by ROC AUC; graded pairs (STS) by Spearman's correlation.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from torch import nn

from bench.inference.backend import Backend
from bench.probes.base import Columns, Probe, ProbeOptions
from bench.specs.probe import ProbeSpec
from bench.statistics.probed import AUC, RANKED
from bench.tasks.encoding import Encoding


class PairGold(ProbeOptions):
    gold: Literal["binary", "graded"] = "binary"
    """0 and 1, or any numbers that rise with similarity."""


class Similarity(Probe):
    family = "encoder"
    uses = "embeddings"
    allowed = PairGold
    value = AUC
    higher_is_better = True
    share = True
    # As seen of 64 pairs of MRPC and MiniLM trained on sst2: docs/method/forgetting.md.
    spread = 0.16
    needs = frozenset({"first", "second", "gold"})

    def __init__(self, spec: ProbeSpec, encoding: Encoding, limit: int) -> None:
        super().__init__(spec, encoding, limit)
        self.graded = self.options.gold == "graded"
        if self.graded:
            # By its name statistics know that the score is an order of items and no mean.
            self.value = RANKED

    @classmethod
    def fault(cls, row: Mapping[str, Any], spec: ProbeSpec) -> str | None:
        if spec.options.get("gold") == "graded":
            return None if _is_similarity(row["gold"]) else f"field 'gold' must be a number, not '{row['gold']}'"
        return None if row["gold"] in ("0", "1") else f"field 'gold' must be 0 or 1, not '{row['gold']}'; map it under values"

    def measure(self, backend: Backend) -> pd.DataFrame:
        texts = [self.encoding.whole([row[side]]) for side in ("first", "second") for row in self.rows]
        first, second = backend.embeddings(texts)[:, -1].split(len(self.rows))
        cosines = nn.functional.cosine_similarity(first, second).tolist()
        return self.frame(cosines, gold=[row["gold"] for row in self.rows])

    def movable(self) -> Self:
        """Without two texts that are the same to the model: their cosine is 1 whatever its weights."""
        same = [self.encoding.whole([row["first"]]) == self.encoding.whole([row["second"]]) for row in self.rows]
        return self.part([number for number, equal in enumerate(same) if not equal])

    def score(self, items: Columns) -> float:
        """Of the cosines against the gold; chance where a resample holds one gold value alone (AUC 0.5, correlation 0)."""
        gold, cosines = items["gold"].astype(float), items["value"]
        if len(np.unique(gold)) < 2:
            return 0.0 if self.graded else 0.5
        if not self.graded:
            from sklearn.metrics import roc_auc_score  # half a second that only pairs need which are alike or not

            return float(roc_auc_score(gold == 1, cosines))
        from scipy.stats import spearmanr  # and this one only graded pairs

        # Cosines that are all equal have no order.
        return float(spearmanr(gold, cosines).statistic) if len(np.unique(cosines)) > 1 else 0.0


def _is_similarity(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False

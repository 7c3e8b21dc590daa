"""Sentence similarity of an encoder: does the cosine of mean-pooled embeddings tell related pairs from others (ROC AUC)?"""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score
from torch import nn

from bench.embeddings import embed
from bench.probes.base import Probe


class Similarity(Probe):
    family = "encoder"
    value = "ROC AUC"
    higher_is_better = True
    share = True
    needs = frozenset({"first", "second", "gold"})

    @classmethod
    def fault(cls, row: Mapping[str, Any]) -> str | None:
        return None if row["gold"] in ("0", "1") else f"field 'gold' must be 0 or 1, not '{row['gold']}'; map it under values"

    def measure(self, model: nn.Module) -> pd.DataFrame:
        texts = [row[side] for side in ("first", "second") for row in self.rows]
        embeddings = embed(model, self.encoding, [[text] for text in texts], self.tokens)
        first, second = embeddings.split(len(self.rows))
        cosines = nn.functional.cosine_similarity(first, second).tolist()
        return self.frame(cosines, gold=[row["gold"] for row in self.rows])

    def score(self, items: Mapping[str, npt.NDArray[Any]]) -> float:
        """ROC AUC of the cosines against the gold 0/1; 0.5 when a resample holds one class alone."""
        gold = items["gold"] == "1"
        return float(roc_auc_score(gold, items["value"])) if 0 < gold.sum() < len(gold) else 0.5

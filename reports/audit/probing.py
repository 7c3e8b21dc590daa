"""The numbers of probes once more, from their items' values, by a plain loop, scikit-learn and scipy."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.audit.item_columns import Numbers, complete

LOWER_IS_BETTER = frozenset({"lm-loss", "pseudo-perplexity"})
SHARES = frozenset({"similarity", "drift"})
"""Kinds whose number is a share or a correlation."""
DISTANCES = frozenset({"drift"})
"""Kinds whose number needs more than one value an item."""


@dataclass(frozen=True)
class ProbeItems:
    """One probe's part of the items' table, and what kind of probe it is."""

    kind: str
    options: Mapping[str, Any]
    items: pd.DataFrame

    @property
    def sign(self) -> float:
        return -1.0 if self.kind in LOWER_IS_BETTER else 1.0

    def score(self, column: str) -> float | None:
        """The probe's number of one model's values; None where they are not there."""
        values = complete(self.items, column)
        if values is None or self.kind in DISTANCES:
            return None
        if self.kind == "similarity":
            return _agreement_with_gold(values, complete(self.items, "gold"), self.options.get("gold") == "graded")
        return _weighted_mean_of_items(values, complete(self.items, "weight"))


def probe_numbers(probe: ProbeItems) -> Numbers:
    """What a record publishes of the probe: before, after, what was lost, by rounding too, and what stands beside it."""
    before, rounded, after = (probe.score(column) for column in ("before_value", "rounded_value", "value"))
    numbers: Numbers = {
        ("n",): float(len(probe.items)),
        ("higher_is_better",): float(probe.kind not in LOWER_IS_BETTER),
        ("share",): float(probe.kind in SHARES),
    }
    if before is not None and after is not None:
        numbers |= {("before",): before, ("after",): after, ("delta",): probe.sign * (before - after)}
    if before is not None and rounded is not None:
        numbers["quantisation", "value"] = probe.sign * (before - rounded)
    pairs = dict(_other_pairs(probe))
    if "accuracy" in pairs:
        numbers["accuracy_lost", "value"] = pairs["accuracy"][0] - pairs["accuracy"][1]
    for name, pair in pairs.items():
        numbers |= {("others", name, side): number for side, number in zip(("before", "after"), pair, strict=True)}
    return numbers


def _other_pairs(probe: ProbeItems) -> Iterator[tuple[str, tuple[float, float]]]:
    old, new = complete(probe.items, "before_right"), complete(probe.items, "right")
    if old is not None and new is not None:
        # Each item counts once, whatever it weighs in the probe's own number.
        yield "accuracy", (_weighted_mean_of_items(old), _weighted_mean_of_items(new))
    sizes, weights = complete(probe.items, "bytes"), complete(probe.items, "weight")
    values = [complete(probe.items, column) for column in ("before_value", "value")]
    if sizes is not None and weights is not None and values[0] is not None and values[1] is not None:
        # Nats per token times tokens are the text's nats.
        bits = [
            math.fsum(v * w for v, w in zip(side, weights, strict=True)) / math.log(2) / sum(sizes) for side in values if side
        ]
        yield "bits per byte", (bits[0], bits[1])


def relative_loss(probes: Sequence[ProbeItems]) -> float | None:
    """The mean relative loss in per cent of shares and accuracies (Luo et al. 2023, equation 2)."""
    pairs = []
    for probe in probes:
        numbers = probe_numbers(probe)
        path = () if probe.kind in SHARES else ("others", "accuracy")
        before, after = numbers.get((*path, "before")), numbers.get((*path, "after"))
        # A base that scores 0 has nothing to lose a share of.
        if before and after is not None and probe.kind not in DISTANCES:
            pairs.append((before, after))
    return 100 * math.fsum((before - after) / before for before, after in pairs) / len(pairs) if pairs else None


def _weighted_mean_of_items(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    weights = weights if weights is not None else [1.0] * len(values)
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / math.fsum(weights)


def _agreement_with_gold(values: Sequence[float], golds: Sequence[float] | None, graded: bool) -> float | None:
    """ROC AUC of cosines, or Spearman's correlation with graded gold; chance where all gold values are the same."""
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    if golds is None:
        return None
    if len(set(golds)) < 2:
        return 0.0 if graded else 0.5
    if graded and len(set(values)) < 2:
        return 0.0  # equal cosines have no order
    return float(spearmanr(golds, values).statistic if graded else roc_auc_score([gold == 1 for gold in golds], values))

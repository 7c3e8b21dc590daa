"""The per-item answers of a row's seeds as counts whose sums make its number, for the bootstrap over both.

None stands for answers that cannot be used: a run left none, or the seeds did not answer the same items.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench import metrics
from bench.metrics.base import ratio
from bench.records import store
from bench.statistics.bootstrap import Floats

Number = Callable[[Floats], Floats]


@dataclass(frozen=True)
class PairedCounts:
    """Counts per seed and item, (seeds, items, k), after training and before it, and what makes a number of their sums."""

    after: Floats
    before: Floats
    number: Number

    def difference(self, sign: float) -> tuple[Floats, Number]:
        """`sign` times the number after minus the one before, as counts and what makes that of their sums."""
        width = self.after.shape[-1]

        def difference(totals: Floats) -> Floats:
            return sign * (self.number(totals[..., :width]) - self.number(totals[..., width:]))

        return np.concatenate([self.after, self.before], axis=-1), difference


def task_counts(frames: Sequence[pd.DataFrame], task: str, name: str, kind: str = "task") -> PairedCounts | None:
    """The counts of the metric of that name, on the run's own task or, of the kind `elsewhere`, on another task or domain."""
    if name not in metrics.metric_names():
        return None
    metric = metrics.counted(name)
    read = ["before", "prediction", *(["gold"] if metric.reference else [])]
    parts = _aligned(frames, kind, task, read)
    if parts is None or any(part[read].isna().any(axis=None) for part in parts):
        return None
    # Counted at once, so that the columns of all counts stand for the same.
    guesses = [value for side in ("prediction", "before") for part in parts for value in _values(part[side], metric.prediction)]
    golds = [value for part in parts for value in _values(part["gold"], metric.reference)] if metric.reference else []
    after, before = metric.counts(guesses, golds * 2).reshape(2, len(parts), len(parts[0]), -1)
    return PairedCounts(after, before, metric.number)


def rate_counts(frames: Sequence[pd.DataFrame], task: str, name: str) -> PairedCounts | None:
    """The counts of a rate, from the column of its name; before is no answer's."""
    if any(name not in frame for frame in frames):
        return None
    known = [frame[frame[name].notna()] for frame in frames]
    return task_counts([frame.assign(prediction=frame[name].astype(float).map(str), before="0") for frame in known], task, name)


def probe_counts(frames: Sequence[pd.DataFrame], probe: str) -> PairedCounts | None:
    """The probe's own values, weighted, and their weights."""
    parts = _aligned(frames, "probe", probe, ["before_value", "value", "weight"])
    if parts is None:
        return None
    after, before, weights = (_stack([part[name] for part in parts]) for name in ("value", "before_value", "weight"))
    if not np.isfinite([after, before, weights]).all() or (weights != weights[0]).any():
        return None
    after, before = (np.stack([values * weights, weights], axis=-1) for values in (after, before))
    return PairedCounts(after, before, lambda totals: ratio(totals[..., 0], totals[..., 1]))


def _values(column: "pd.Series[Any]", kind: Any) -> list[Any]:
    return [store.as_value(text, kind) for text in column]


def _stack(columns: Sequence["pd.Series[Any]"]) -> Floats:
    return np.stack([column.to_numpy(dtype=np.float64) for column in columns])


def _aligned(frames: Sequence[pd.DataFrame], kind: str, name: str, columns: Sequence[str]) -> list[pd.DataFrame] | None:
    """Each seed's rows of one task or probe, if all seeds have the same items in the same order."""
    parts = []
    for frame in frames:
        if not {"kind", "name", "item", *columns} <= set(frame.columns):
            return None
        parts.append(frame[(frame["kind"] == kind) & (frame["name"] == name)])
    items = [part["item"].tolist() for part in parts]
    return parts if items and items[0] and all(other == items[0] for other in items) else None

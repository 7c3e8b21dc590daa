"""The per-item answers of a row's seeds as matrices, (seeds, items), for the bootstrap over both.

None stands for answers that cannot be used: a run left none, or the seeds did not answer the same items.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.intervals import Floats


@dataclass(frozen=True)
class Answers:
    """Values per seed and item after training and before it, and the items' weights in the mean."""

    after: Floats
    before: Floats
    weights: Floats


def of_task(frames: Sequence[pd.DataFrame], task: str) -> Answers | None:
    """1 where an answer of the task is right, else 0."""
    parts = _aligned(frames, "task", task, ["gold", "before", "prediction"])
    if parts is None:
        return None
    after, before = (_stack([part[name] == part["gold"] for part in parts]) for name in ("prediction", "before"))
    return Answers(after, before, np.ones(after.shape[1]))


def of_probe(frames: Sequence[pd.DataFrame], probe: str) -> Answers | None:
    """The probe's own values."""
    parts = _aligned(frames, "probe", probe, ["before_value", "value", "weight"])
    if parts is None:
        return None
    after, before, weights = (_stack([part[name] for part in parts]) for name in ("value", "before_value", "weight"))
    if not np.isfinite([after, before, weights]).all() or (weights != weights[0]).any():
        return None
    return Answers(after, before, weights[0])


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

"""All that a run measured per item, as the one long table that lies beside its record."""

import pandas as pd

from bench.records.store import as_text
from bench.running.evaluation import Evaluation
from bench.running.reference import Baseline

COLUMNS = (
    "kind",
    "name",
    "item",
    "gold",
    "before",
    "prediction",
    "confidence",
    "malformed",
    "answerable",
    "before_value",
    "value",
    "weight",
)


def item_table(task: str, before: Baseline, after: Evaluation) -> pd.DataFrame:
    """A row per item of the task, of other tasks and domains, and of the probes; answers that are no text are JSON."""
    frames = [_predictions("task", task, before.test, after.test)]
    frames += [_predictions("elsewhere", name, before.elsewhere[name], frame) for name, frame in after.elsewhere.items()]
    for name, frame in after.probes.items():
        numbered = frame.assign(kind="probe", name=name, item=[str(i) for i in range(len(frame))])
        frames.append(numbered.assign(before_value=before.probes[name]["value"]))
    return pd.concat(frames, ignore_index=True).reindex(columns=list(COLUMNS))


def _predictions(kind: str, name: str, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    texts = {"gold": after["gold"].map(as_text), "prediction": after["prediction"].map(as_text)}
    return after.assign(kind=kind, name=name, before=before["prediction"].map(as_text), **texts)

"""All that a run measured per item, as the one long table that lies beside its record."""

import pandas as pd

from bench.records.store import as_text
from bench.running.evaluation import Evaluation
from bench.running.reference import BaseAnswers, Baseline

COLUMNS = (
    "kind",
    "name",
    "item",
    "cluster",
    "gold",
    "before",
    "best_before",
    "prediction",
    "confidence",
    "malformed",
    "answerable",
    "before_value",
    "rounded_value",
    "value",
    "weight",
    "before_right",
    "right",
)


def item_table(task: str, before: Baseline, after: Evaluation) -> pd.DataFrame:
    """A row per item of the task, of other tasks and domains, and of the probes; answers that are no text are JSON."""
    frames = [_predictions("task", task, before.test, after.test)]
    frames += [_predictions("elsewhere", name, before.elsewhere[name], frame) for name, frame in after.elsewhere.items()]
    for name, frame in after.probes.items():
        numbered = frame.assign(kind="probe", name=name, item=[str(i) for i in range(len(frame))])
        was = before.probes[name]
        more = {"before_right": was["right"]} if "right" in was else {}
        more |= {"rounded_value": before.rounded[name]["value"]} if before.rounded else {}
        frames.append(numbered.assign(before_value=was["value"], **more))
    return pd.concat(frames, ignore_index=True).reindex(columns=list(COLUMNS))


def _predictions(kind: str, name: str, before: BaseAnswers, after: pd.DataFrame) -> pd.DataFrame:
    columns = {"gold": after["gold"], "prediction": after["prediction"]}
    columns |= {"before": before.same["prediction"], "best_before": before.best["prediction"]}
    return after.assign(kind=kind, name=name, **{column: values.map(as_text) for column, values in columns.items()})

"""All that a run measured per item, as the one long table that lies beside its record: the record's numbers can be made of it
alone, and `tunebench audit` does so."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from bench.measuring.base_results import BaseAnswers, BaseResults
from bench.measuring.evaluation import Evaluation
from bench.records.store import as_text
from bench.training.state import ItemAnswers

COLUMNS = (
    "kind",
    "name",
    "stage",
    "item",
    "text",
    "cluster",
    "gold",
    "before",
    "best_before",
    "prediction",
    "confidence",
    "malformed",
    "unfinished",
    "truncated",
    "seen",
    "answerable",
    "reference_loss",
    "before_value",
    "rounded_value",
    "value",
    "weight",
    "bytes",
    "before_right",
    "right",
)


def item_table(
    task: str,
    before: BaseResults,
    after: Evaluation,
    wordings: Sequence[str] = (),
    stages: Sequence[str] = (),
    answers: Sequence[Sequence[ItemAnswers]] = (),
    references: Mapping[str, pd.DataFrame] = MappingProxyType({}),
) -> pd.DataFrame:
    """A row per item of the task, of other tasks and domains, of each wording and stage, and of the probes; answers that are no
    text are JSON.

    Args:
        references: answers that need no model, by name.
        wordings: the instructions that were asked one at a time.
        stages: the tasks that were trained on one after another.
        answers: after each stage, to each stage's test set.
    """
    frames = [_predictions("task", task, before.test, after.test)]
    frames += [_predictions("elsewhere", name, before.elsewhere[name], frame) for name, frame in after.elsewhere.items()]
    frames += [_answer_rows("wording", words, frame) for words, frame in zip(wordings, after.paraphrases, strict=True)]
    after_stage: list[Sequence[pd.DataFrame | ItemAnswers]] = [before.stages, *answers]
    for number, parts in enumerate(after_stage):
        frames += [_answer_rows("stage", name, pd.DataFrame(part), number) for name, part in zip(stages, parts, strict=True)]
    frames += [_answer_rows("reference", name, frame) for name, frame in references.items()]
    frames += _probe_frames(before, after)
    return pd.concat(frames, ignore_index=True).reindex(columns=list(COLUMNS))


def _probe_frames(before: BaseResults, after: Evaluation) -> Iterator[pd.DataFrame]:
    for name, frame in after.probes.items():
        numbered = frame.assign(kind="probe", name=name, item=[str(i) for i in range(len(frame))])
        # Both frames have the probe's items in the same order.
        base_frame = before.probes[name]
        more = {"before_right": base_frame["right"]} if "right" in base_frame else {}
        more |= {"rounded_value": before.rounded[name]["value"]} if before.rounded else {}
        yield numbered.assign(before_value=base_frame["value"], **more)


def _predictions(kind: str, name: str, before: BaseAnswers, after: pd.DataFrame) -> pd.DataFrame:
    columns = {"before": before.same["prediction"], "best_before": before.best["prediction"]}
    return _answer_rows(kind, name, after.assign(**{column: values.map(as_text) for column, values in columns.items()}))


def _answer_rows(kind: str, name: str, answered: pd.DataFrame, stage: int | None = None) -> pd.DataFrame:
    texts: dict[str, Any] = {column: answered[column].map(as_text) for column in ("gold", "prediction")}
    if kind not in ("task", "elsewhere"):
        texts["text"] = None  # it stands with the test set's own
    return answered.assign(kind=kind, name=name, stage=stage, **texts)

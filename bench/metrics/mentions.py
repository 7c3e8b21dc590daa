"""Entity F1 on mentions that training has, and on those that it lacks: memory of names, and how well new ones are found.

Both sides are restricted, predicted and gold entities, so that each part has its own precision. Which runs of an item's words
are mentions of training stands in its answers, as `seen`: first and last word (exclusive) of each.
"""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from bench.metrics.entities import EntityF1

PARTS = {"entity_f1_seen": True, "entity_f1_unseen": False}
"""Metric -> whether it is of mentions that training has."""


class SeenEntityF1(EntityF1):
    name = "entity_f1_seen"
    description = "harmonic mean of entity precision and recall on mentions that stand in training"


class UnseenEntityF1(EntityF1):
    name = "entity_f1_unseen"
    description = "harmonic mean of entity precision and recall on mentions that don't stand in training"


def restricted(frame: pd.DataFrame, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """The frame with the entities of the metric's part alone in the columns of tags; itself where the metric is of no part."""
    if name not in PARTS or "seen" not in frame:
        return frame
    runs = [{tuple(run) for run in json.loads(text)} for text in frame["seen"]]
    kept = {
        column: [_tags_of_part(tags, known, PARTS[name]) for tags, known in zip(frame[column], runs, strict=True)]
        for column in columns
    }
    return frame.assign(**{column: pd.Series(tags, index=frame.index, dtype=object) for column, tags in kept.items()})


def _tags_of_part(tags: Any, known: set[tuple[int, int]], wanted: bool) -> list[str]:
    """The tags with O instead of the entities that are not of the part."""
    from seqeval.metrics.sequence_labeling import get_entities

    kept = list(tags)
    for _, first, last in get_entities(list(tags)):
        # seqeval's last word is still of the entity, and that of `seen` no longer.
        if ((first, last + 1) in known) != wanted:
            kept[first : last + 1] = ["O"] * (last + 1 - first)
    return kept

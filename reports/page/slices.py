"""Parts of a test set that may explain why one run is right where another is wrong: by label, by length, and by whether names
were seen in training."""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
from seqeval.metrics.sequence_labeling import get_entities

from bench.records.contract import Json
from reports.page.answer_text import tags_of
from reports.rows import numbers

LABELS = 12
"""Of more labels than this none is a slice."""
PART_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def slices_of(items: pd.DataFrame) -> Json:
    """What it is cut by -> the names of its parts, and of each item the part as a digit."""
    slices = {"label": _label_parts(items), "length": _length_parts(items), "mentions": _mention_parts(items)}
    # A slice that holds all items explains no difference.
    return {name: _encoded_parts(parts) for name, parts in slices.items() if parts and len(set(parts)) > 1}


def _encoded_parts(parts: Sequence[str]) -> Json:
    names = list(dict.fromkeys(parts))
    places = {name: PART_DIGITS[place] for place, name in enumerate(names)}
    return {"names": names, "of": "".join(places[part] for part in parts)}


def _label_parts(items: pd.DataFrame) -> list[str]:
    golds = items["gold"].tolist()
    return golds if len(set(golds)) <= LABELS else []


def _length_parts(items: pd.DataFrame) -> list[str]:
    """Thirds by the number of words."""
    if "text" not in items or items["text"].isna().any():
        return []
    words = np.array([len(text.split()) for text in items["text"]])
    # A quantile may lie between two numbers of words, and a slice is named by whole ones.
    short, long = map(int, np.quantile(words, [1 / 3, 2 / 3]))
    middle = numbers.counts_between([short + 1, long])
    names = [f"up to {short:,} words", f"{middle} words", f"above {long:,} words"]
    return [names[int(count > short) + int(count > long)] for count in words]


def _mention_parts(items: pd.DataFrame) -> list[str]:
    """Of entities: whether training has all of an item's mentions, some, or none."""
    if "seen" not in items or items["seen"].isna().any():
        return []
    return [
        _mentions_in_training(tags_of(gold) or [], json.loads(runs))
        for gold, runs in zip(items["gold"], items["seen"], strict=True)
    ]


def _mentions_in_training(gold: list[str], runs: list[list[int]]) -> str:
    seen_spans = {tuple(run) for run in runs}
    # seqeval's `last` is the entity's last word, and a span of `seen` ends with the word behind it.
    in_training = [(first, last + 1) in seen_spans for _, first, last in get_entities(gold)]
    if not in_training:
        return "no mention"
    if all(in_training):
        return "all mentions seen in training"
    return "some mentions unseen" if any(in_training) else "no mention seen"

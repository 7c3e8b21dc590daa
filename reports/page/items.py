"""What the page needs to hold two runs of one table against each other item by item: which answers are right, of all items; and
the texts and answers of those items on which the runs are most divided.

An answer is right where it gets its metric's full marks by itself. Of a metric that is no share, none is right or wrong, and
nothing is held against anything.
"""

import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import metrics
from bench.records import store
from bench.records.contract import Json
from bench.records.record import Record
from reports.page.answer_text import readable
from reports.page.slices import slices_of
from reports.rows.row import Row

Rights = npt.NDArray[np.bool_]
SHOWN = 200
"""Items of a table whose texts and answers are on the page, at most."""
SHOWN_TEXT = 600
"""Characters of an item's text that are on the page, at most."""
CELLS = 10_000
"""Answers of a table on the page, at most: with many runs fewer items are shown."""
LETTERS = string.digits + string.ascii_letters + "-_"
"""An answer's place among a table's answers is a letter, where they are so few; per cent are two digits."""


class DomainAnswers(NamedTuple):
    """What a domain asked, and which answers are right."""

    questions: list[Any]
    right: Rights


class Answers(NamedTuple):
    """A run's answers to its test set, and which are right; and the same of each domain."""

    items: pd.DataFrame
    right: Rights
    away: Mapping[str, DomainAnswers]


def items_of(rows: Sequence[Row], out: Path) -> tuple[Json | None, dict[str, Json]]:
    """Of one suite's, model's and task's rows: what all runs share, and by run's id what is its own. None and nothing where
    fewer than two runs have answers to the same items."""
    answers_by_run = {run.run_id: answers for row in rows for run in row.records if (answers := _answers_of_run(out, run, row))}
    first = next(iter(answers_by_run.values()), None)
    same = {
        name: each
        for name, each in answers_by_run.items()
        if first and _names_and_golds(each.items) == _names_and_golds(first.items)
    }
    if first is None or len(same) < 2:
        return None, {}
    # With the texts of all items a page would be larger than the test set.
    where = _most_divided_items(np.stack([each.right for each in same.values()]))
    words: dict[str, int] = {}
    shared = first.items.iloc[where]
    own = {name: _encoded_answers(each, first, shared, where, words) for name, each in same.items()}
    # Classes are few, and then an answer takes one byte of the page.
    if len(words) <= len(LETTERS):
        own = {name: {**each, "answers": "".join(LETTERS[place] for place in each["answers"])} for name, each in own.items()}
    texts = shared["text"].fillna("").tolist() if "text" in shared else [""] * len(shared)
    golds = [readable(gold, text) for gold, text in zip(shared["gold"], texts, strict=True)]
    return {
        "count": len(first.items),
        "where": where.tolist(),
        "names": shared["item"].tolist(),
        "texts": [store.cut(text, SHOWN_TEXT) for text in texts],
        "golds": golds,
        "words": list(words),
        "slices": slices_of(first.items),
        "domains": {name: len(away.right) for name, away in first.away.items()},
    }, own


def _answers_of_run(out: Path, run: Record, row: Row) -> Answers | None:
    """None where the run left no answers, or they are neither right nor wrong."""
    frame = store.read_items(out, run)
    if run.outcome is None or not {"kind", "name", "item", "gold", "prediction"} <= set(frame.columns):
        return None
    metric = run.outcome.score.name
    items = frame[(frame["kind"] == "task") & (frame["name"] == run.setup.task)]
    right = right_answers_of(items, metric)
    if right is None or not len(right):
        return None
    away = {}
    for name, part in frame[frame["kind"] == "elsewhere"].groupby("name", sort=False):
        # Other tasks have other metrics; a domain is asked with the task's own.
        if row.kind(str(name)) == "Domains" and (domain_right := right_answers_of(part, metric)) is not None:
            away[str(name)] = DomainAnswers(_names_and_golds(part), domain_right)
    return Answers(items.reset_index(drop=True), right, away)


def right_answers_of(items: pd.DataFrame, name: str) -> Rights | None:
    """Of each item, whether its answer is the gold one, or gets the metric's full marks."""
    if name not in metrics.metric_names() or items[["gold", "prediction"]].isna().any(axis=None):
        return None
    metric = metrics.counted(name)
    if not metric.share or not metric.reference:
        return None
    same = (items["prediction"] == items["gold"]).to_numpy()
    if metric.reference is str and metric.prediction is str and name in ("accuracy", "f1_macro"):
        return same
    guesses = [store.as_value(text, metric.prediction) for text in items["prediction"]]
    golds = [store.as_value(text, metric.reference) for text in items["gold"]]
    # A mean over several names may be rounded to a little less than 1.
    full: Rights = metric.number(metric.counts(guesses, golds)) >= 1 - 1e-9
    # An item without a name to find has no F1 at all, and is right where nothing was found.
    return same | full


def _names_and_golds(items: pd.DataFrame) -> list[Any]:
    """Names and gold values: items of other data may have the same names."""
    return list(zip(items["item"], items["gold"], strict=True))


def _most_divided_items(rights: Rights) -> npt.NDArray[np.int64]:
    """The items, in their order, on which (runs, items) are most divided; none on which all agree."""
    share = rights.mean(0)
    # The variance of right and wrong, which is largest where half of the runs are right.
    split = share * (1 - share)
    most = min(SHOWN, CELLS // len(rights))
    chosen = np.argsort(-split, kind="stable")[:most]
    # Chosen by how divided they are, and shown in the order of the test set.
    return np.sort(chosen[split[chosen] > 0])


def _encoded_answers(
    answers: Answers, first: Answers, shared: pd.DataFrame, where: npt.NDArray[np.int64], words: dict[str, int]
) -> Json:
    """`words` gathers the answers of all runs: each is told by its place. A domain of which another sample was asked than
    `first` was asked is left out, as its answers are to other items."""
    # Bits are held against each other by their places.
    away = {
        name: own for name, own in answers.away.items() if name in first.away and own.questions == first.away[name].questions
    }
    mine = answers.items.iloc[where]
    texts = shared["text"].fillna("") if "text" in shared else [""] * len(shared)
    readable_answers = [readable(answer, text) for answer, text in zip(mine["prediction"], texts, strict=True)]
    sure = mine["confidence"].tolist() if "confidence" in mine else [None] * len(mine)
    return {
        "right": packed(answers.right),
        "away": {name: packed(each.right) for name, each in away.items()},
        "answers": [words.setdefault(answer, len(words)) for answer in readable_answers],
        "sure": "".join(_two_sign_percent(share) for share in sure),
    }


def _two_sign_percent(share: float | None) -> str:
    """Of a probability, in two signs: `++` is all of it, and `--` that it is not known."""
    if share is None or not np.isfinite(share):
        return "--"
    return f"{percent:02}" if (percent := round(100 * share)) < 100 else "++"


def packed(right: Rights) -> str:
    """Four items a hexadecimal digit, the first item its highest bit."""
    # A test set of thousands of items is then some hundred letters for each run.
    return np.packbits(right).tobytes().hex()

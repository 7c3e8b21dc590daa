"""The per-item answers of a row's seeds as scores that can be jackknifed, after training and before it.

None stands for answers that cannot be used: a run left none, or the seeds did not answer the same items.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bench import metrics
from bench.metrics.base import Counted
from bench.metrics.likelihood import BitsPerByte, Perplexity
from bench.metrics.mentions import PARTS, restricted
from bench.records import store
from bench.statistics.arrays import Floats
from bench.statistics.drawn_scores import Scoring, scoring_of_mean, scoring_of_sums
from bench.statistics.drawn_values import NumberOfValues, RankedPairs, WeightedMean
from bench.statistics.intervals import Scale, rise_over
from bench.statistics.jackknife import Clusters, Jackknifed, clusters_of, of_counts
from bench.statistics.probed import RANKED, RANKINGS, of_probe, of_shares, weighted_mean
from reports.rows.run_items import OF_WHAT, RunItems, as_numbers, has_missing, same_values, with_columns

LIKELIHOODS = (Perplexity, BitsPerByte)
"""Metrics that are made of nats, which have no best answer."""
BASES = ("before", "best_before")
"""Columns of the base's answers: asked in the row's own words, and in its best."""


@dataclass(frozen=True)
class Answered:
    """A row's scores after training and before it, one per seed, on the same items."""

    after: Jackknifed
    before: Jackknifed
    scale: Scale

    def difference(self, sign: float, trained: bool = True) -> Jackknifed:
        """`sign` times the score after minus the one before, between which there was training or not."""
        return rise_over(self.after, self.before, self.scale, trained) * sign


def task_answers(
    items: Sequence[RunItems],
    task: str,
    name: str,
    kind: str = "task",
    base: str = "before",
    data_hash: str | None = None,
) -> Answered | None:
    """The metric of that name, on the run's own task or, of the kind `elsewhere`, on another task or domain. `base` is the
    column of the answers that it is held against: `before`, the base in the same words, or `best_before`, in its best. Items of
    other data are others, though they have the same names."""
    if name not in metrics.metric_names():
        return None
    metric = metrics.counted(name)
    counts_and_clusters = _answer_counts(metric, items, task, kind, base, data_hash)
    if counts_and_clusters is None:
        return None
    counts, clusters = counts_and_clusters
    after, before = (of_counts(side, metric.number, clusters, metric.weights(side)) for side in counts)
    return Answered(after, before, metric.scale)


def drawable_answers(items: Sequence[RunItems], task: str, name: str) -> tuple[Floats, Scoring, Clusters] | None:
    """What the runs' answers after training count, (runs, items, k), and what drawn ones do; the untouched model is the first
    run's. None where the metric has no best answer, or the runs have no answers to the same items."""
    metric = metrics.counted(name) if name in metrics.metric_names() else None
    if metric is None or metric.scale == "plain":
        return None
    of_mean = metric.scale in ("wilson", "graded")
    asked = items if of_mean else _with_answers_at_both_ends(items, task, metric)
    counts_and_clusters = asked and _answer_counts(metric, asked, task, "task", "before")
    if not counts_and_clusters:
        return None
    (after, before), clusters = counts_and_clusters
    if of_mean:
        return after, scoring_of_mean(before[0, :, 0]), clusters
    *_, empty, perfect = after
    runs = after[: len(items)]
    # What runs from 0 to 100 is drawn as a share, whose differences are points too.
    whole = 100.0 if metric.scale == "percent" else 1.0
    return runs, scoring_of_sums(runs, before[0], empty, perfect, lambda t: metric.number(t) / whole, metric.weights), clusters


def drawable_likelihoods(items: Sequence[RunItems], task: str, name: str) -> tuple[Floats, NumberOfValues, Clusters] | None:
    """The runs' nats per token or byte after training, (runs, items), and what drawn ones make. None where the metric is no
    mean of them, or the runs have no answers to the same items."""
    metric = metrics.counted(name) if name in metrics.metric_names() else None
    counts_and_clusters = _answer_counts(metric, items, task, "task", "before") if isinstance(metric, LIKELIHOODS) else None
    if metric is None or counts_and_clusters is None:
        return None
    (after, before), clusters = counts_and_clusters
    units = after[..., 1]
    # Runs that cut a text into unlike tokens did not answer the same.
    if (units != units[0]).any():
        return None
    number = WeightedMean(before[0, :, 0] / units[0], units[0], metric.number, 0.0)
    return after[..., 0] / units, number, clusters


def drawable_probe(items: Sequence[RunItems], probe: str, measure: str) -> tuple[Floats, NumberOfValues, Clusters] | None:
    """The runs' values of a probe after training, (runs, items), and what drawn ones make. None where they are ranked by a
    graded gold, or the runs have no answers to the same items."""
    values = None if measure == RANKED else _probe_values(items, probe, measure)
    if values is None:
        return None
    if values.gold is None:
        return values.after, WeightedMean(values.before[0], values.weights, weighted_mean), _item_clusters(values.parts)
    positive = (values.gold == 1).astype(np.int64)
    # With one class alone, or one pair of one, nothing is known of other pairs.
    if min(positive.sum(), (1 - positive).sum()) < 2:
        return None
    return values.after, RankedPairs(values.before[0], positive), _item_clusters(values.parts)


def _with_answers_at_both_ends(items: Sequence[RunItems], task: str, metric: Counted) -> list[RunItems] | None:
    """Each run's answers, and after them those of one that answers nothing, and of one that answers as the gold answers do."""
    parts = _aligned_parts(items, "task", task, ["gold", "prediction"])
    if parts is None or has_missing(parts[0]["gold"]):
        return None
    gold = _parsed_column(parts[0]["gold"], metric.reference)
    if metric.prediction is str:
        nothing, everything = [""] * len(gold), [each if metric.reference is str else each[0] for each in gold]
    else:
        nothing, everything = [store.as_text(["O"] * len(tags)) for tags in gold], parts[0]["gold"].to_pylist()
    ends = (with_columns(parts[0], prediction=answers) for answers in (nothing, everything))
    return [RunItems(table) for table in (*parts, *ends)]


def _answer_counts(
    metric: Counted, items: Sequence[RunItems], task: str, kind: str, base: str, data_hash: str | None = None
) -> tuple[Floats, Clusters] | None:
    """Counts, (after and before, seeds, items, k)."""
    items = [_restricted_to_mentions(each, task, kind, metric.name) for each in items]
    read = [base, "prediction", *(["gold"] if metric.reference else [])]
    parts = _aligned_parts(items, kind, task, read)
    if parts is None or any(has_missing(part[column]) for part in parts for column in read):
        return None
    # Counted at once, so that the columns of all counts stand for the same.
    guesses = [
        value for side in ("prediction", base) for part in parts for value in _parsed_column(part[side], metric.prediction)
    ]
    # Seeds come one after another, as their guesses do.
    golds = [value for part in parts for value in _parsed_column(part["gold"], metric.reference)] if metric.reference else []
    # The same gold answers twice: for what was answered after training, and before it.
    return metric.counts(guesses, golds * 2).reshape(2, len(parts), len(parts[0]), -1), _item_clusters(parts, data_hash)


def _restricted_to_mentions(items: RunItems, task: str, kind: str, name: str) -> RunItems:
    """With the entities alone that a metric of a part of them is of."""
    if name not in PARTS or not items.has("seen"):
        return items
    mine = items.part(kind, task)
    if has_missing(mine["seen"]):
        return items
    answer_columns = [column for column in ("prediction", "gold", "before", "best_before") if items.has(column)]
    # Rows whose record knows no best base have an empty column of its answers.
    columns = [column for column in answer_columns if not has_missing(mine[column])]
    tags = mine.to_pandas().assign(**{column: _parsed_column(mine[column], list[str]) for column in columns})
    part = restricted(tags, name, columns)
    # Whoever counts them reads answers as the file holds them.
    return RunItems(with_columns(mine, **{column: part[column].map(store.as_text).tolist() for column in columns}))


def rate_answers(items: Sequence[RunItems], task: str, name: str) -> Answered | None:
    """A rate, from the column of its name; before is no answer's."""
    if not all(each.has(name) for each in items):
        return None
    return task_answers([_as_predictions(each, task, name) for each in items], task, name)


def _as_predictions(items: RunItems, task: str, rate: str) -> RunItems:
    """A rate may be of a part of the items, as of the questions that have an answer in their text."""
    part = items.part("task", task)
    (numbers,) = as_numbers([part[rate]])
    rated = ~np.isnan(numbers)
    kept = part.select([column for column in (*OF_WHAT, "item", "cluster") if items.has(column)]).filter(pa.array(rated))
    return RunItems(with_columns(kept, prediction=numbers[rated], before=np.zeros(rated.sum())))


def wording_answers(items: Sequence[RunItems], words: str, name: str) -> Answered | None:
    """The metric of that name under one wording, in which the untouched model was not asked: before is no answer's."""
    return task_answers(items, words, name, "wording", base="prediction")


def probe_answers(items: Sequence[RunItems], probe: str, measure: str, definition: str | None = None) -> Answered | None:
    """The probe's number, by the name that the record gives it: a ranking's, or a weighted mean of its values. Items of another
    `definition` are others, though they have the same names."""
    values = _probe_values(items, probe, measure)
    if values is None:
        return None
    clusters = _item_clusters(values.parts, definition)
    now, was = (of_probe(measure, side, values.weights, values.gold, clusters) for side in (values.after, values.before))
    return Answered(now, was, "plain")


@dataclass(frozen=True)
class _ProbeValues:
    """Of several runs' answers to a probe."""

    parts: Sequence[pa.Table]
    after: Floats
    """(runs, items)"""
    before: Floats
    """(runs, items)"""
    weights: Floats
    """(items,)"""
    gold: Floats | None
    """(items,), of a ranking."""


def _probe_values(items: Sequence[RunItems], probe: str, measure: str) -> _ProbeValues | None:
    ranking = measure in RANKINGS
    parts = _aligned_parts(items, "probe", probe, ["before_value", "value", "weight", *(["gold"] if ranking else [])])
    if parts is None:
        return None
    after, before, weights = (as_numbers(part[name] for part in parts) for name in ("value", "before_value", "weight"))
    # Weights are the tokens of a text, so that seeds with unlike ones did not read the same.
    if not np.isfinite([after, before, weights]).all() or (weights != weights[0]).any():
        return None
    # Tasks and probes share this column, so that a probe's numbers are not kept in it as such.
    gold = pd.to_numeric(parts[0]["gold"].to_pandas(), errors="coerce").to_numpy(dtype=np.float64) if ranking else None
    if gold is not None and not np.isfinite(gold).all():
        return None
    return _ProbeValues(parts, after, before, weights[0], gold)


def probe_accuracy(items: Sequence[RunItems], probe: str) -> Answered | None:
    """The share of the probe's items that were answered rightly; None where they have no right answer."""
    parts = _aligned_parts(items, "probe", probe, ["before_right", "right"])
    if parts is None:
        return None
    after, before = (as_numbers(part[name] for part in parts) for name in ("right", "before_right"))
    if not np.isfinite([after, before]).all():
        return None
    clusters = _item_clusters(parts)
    return Answered(of_shares(after, clusters), of_shares(before, clusters), "wilson")


def _item_clusters(parts: Sequence[pa.Table], content: str | None = None) -> Clusters:
    """`content` is what is known of the items beside their names."""
    first = parts[0]
    clusters = clusters_of(first["cluster"].to_pylist() if "cluster" in first.column_names else None, len(first))
    # Python's hash is another in each process, and these are compared within one.
    return replace(clusters, items_hash=hash((content, *first["item"].to_pylist())))


def _parsed_column(column: pa.ChunkedArray, kind: Any) -> list[Any]:
    values: list[Any] = column.to_pylist()
    # Of a rate they are numbers already, and no text of the file's.
    return values if kind is str or pa.types.is_floating(column.type) else [store.as_value(text, kind) for text in values]


def _aligned_parts(items: Sequence[RunItems], kind: str, name: str, columns: Sequence[str]) -> list[pa.Table] | None:
    """Each seed's rows of one task or probe, if all seeds have the same items in the same order."""
    if not items or not all(each.has(*OF_WHAT, "item", *columns) for each in items):
        return None
    first, *others = parts = [each.part(kind, name) for each in items]
    return parts if len(first) and all(same_values(other["item"], first["item"]) for other in others) else None

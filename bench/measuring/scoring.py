"""Predictions as scores: each metric with its 95 % interval over items, and how far it rose over another model's."""

from collections.abc import Sequence

import pandas as pd

from bench import metrics
from bench.metrics.mentions import restricted
from bench.records.outcome import Score
from bench.statistics.intervals import of_one_model, rise_over
from bench.statistics.jackknife import clusters_of, of_counts


def scores(predictions: pd.DataFrame, names: Sequence[str]) -> dict[str, Score]:
    """Metrics of a frame whose columns `gold` and `prediction` hold one value per item, text or lists.

    Raises:
        UserError: there is no such metric, or it cannot count some item's values.
    """
    return {name: _metric_score(predictions, name) for name in names}


def _metric_score(predictions: pd.DataFrame, name: str) -> Score:
    metric, predictions = metrics.counted(name), restricted(predictions, name, ["prediction", "gold"])
    counts = metric.counts(predictions["prediction"].tolist(), predictions["gold"].tolist())
    # The first axis is that of seeds, of which one model is one.
    clusters = clusters_of(predictions.get("cluster"), len(counts))
    answered = of_counts(counts[None], metric.number, clusters, metric.weights(counts[None]))
    low, high = of_one_model(answered, metric.scale)
    return Score(
        name=name,
        value=float(metric.number(counts.sum(0))),
        ci_low=low,
        ci_high=high,
        n=len(counts),
        higher_is_better=metric.higher_is_better,
        share=metric.share,
    )


def value(predictions: pd.DataFrame, name: str) -> float:
    """The metric's number alone, without an interval."""
    predictions = restricted(predictions, name, ["prediction", "gold"])
    return metrics.counted(name).value(predictions["prediction"].tolist(), predictions["gold"].tolist())


def worth(predictions: pd.DataFrame, name: str) -> float:
    """The metric's number, negated where lower is better: more is always better."""
    return value(predictions, name) * (1.0 if metrics.counted(name).higher_is_better else -1.0)


def rise(after: pd.DataFrame, before: pd.DataFrame, name: str, trained: bool = True) -> tuple[float, float, float]:
    """How much better a metric is on the predictions `after` than on those `before`, with its paired interval over items.

    Both frames hold the same items in the same order. Positive is better: where a lower number is, before minus after.

    Args:
        trained: whether training lies between the two, which may have turned other answers than these.
    """
    metric = metrics.counted(name)
    after, before = (restricted(frame, name, ["prediction", "gold"]) for frame in (after, before))
    # One gold for both, since they hold the same items.
    gold = after["gold"].tolist()
    clusters = clusters_of(after.get("cluster"), len(gold))
    counts = (metric.counts(frame["prediction"].tolist(), gold)[None] for frame in (after, before))
    new, old = (of_counts(side, metric.number, clusters, metric.weights(side)) for side in counts)
    better = rise_over(new, old, metric.scale, trained) * (1.0 if metric.higher_is_better else -1.0)
    return float(better.values[0]), *of_one_model(better)

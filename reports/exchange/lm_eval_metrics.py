"""The metrics of one task of lm-evaluation-harness: their values, which is the score, and their intervals."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import FormatError
from bench.records.outcome import Score
from bench.records.record import Interval
from bench.statistics.binomial import wilson
from bench.statistics.intervals import Z, of_one_model
from bench.statistics.jackknife import clusters_of
from bench.statistics.probed import of_probe
from reports.exchange.untrusted_files import Given

RIGHT_OR_WRONG = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "em")
"""The harness' metrics that most of its tasks have as 1 or 0 for each item, and on the whole as their mean."""
MEAN_WITHIN = 1e-6
ERROR_WITHIN = 0.01
"""Of a standard error: the share of it by which it may differ from that of zeros and ones."""
ERROR_ROUNDED = 5e-5
"""What a standard error of four digits may be off by."""
NO_FILTER = "none"


@dataclass(frozen=True)
class HarnessMetric:
    name: str
    filter: str
    value: float
    error: float | None
    """Standard error, as the file says it."""
    higher_is_better: bool
    is_mean: bool = True
    """Whether the task's own list doesn't name another way to make one number of all items."""

    @property
    def label(self) -> str:
        return self.name if self.filter == NO_FILTER else f"{self.name} ({self.filter})"


def harness_metrics(results: Given, higher: Given, config: Given) -> tuple[list[HarnessMetric], list[FormatError]]:
    """`acc,none: .71` with `acc_stderr,none: .01` beside it; what is no number (a name) is no metric.

    With them comes why each metric is left out that has no value or no direction.

    Raises:
        FormatError: there is no metric, or one that is no number.
    """
    metrics: list[HarnessMetric] = []
    left_out: list[FormatError] = []
    aggregations = dict(_listed_metrics(config))
    # Beside numbers there stand names, such as a task's alias, without a filter.
    written = [(*key.partition(","), part) for key, part in results.parts() if "," in key]
    numbers = [(name, filtered, part) for name, _, filtered, part in written if not name.endswith("_stderr")]
    if not numbers:
        raise FormatError(results.place, "holds no metric")
    for name, filtered, part in numbers:
        if not was_measured(name, part.value):
            continue
        if fault := _why_left_out(name, part, higher):
            left_out.append(fault)
            continue
        metrics.append(
            HarnessMetric(
                name=Given(name, part.place).text(),
                filter=Given(filtered, part.place).text() if filtered else "",
                value=part.number(),
                error=_standard_error(results.get(f"{name}_stderr,{filtered}")),
                higher_is_better=higher[name].value,
                # Of a task's own function the harness writes the source, as of tinyBenchmarks' estimates (IRT).
                is_mean=aggregations.get(name) in (None, "mean"),
            )
        )
    if not metrics:
        left_out.append(FormatError(results.place, "holds no metric that was measured"))
    return metrics, left_out


def _why_left_out(name: str, part: Given, higher: Given) -> FormatError | None:
    """What the harness itself may leave unsaid of a metric, and is no fault of the file."""
    if _is_nan(part.value):
        return part.wrong("a number")
    try:
        return None if isinstance(higher[name].value, bool) else higher[name].wrong("true or false")
    except FormatError as error:
        return error


def _standard_error(written: Given | None) -> float | None:
    """The harness writes N/A where it has no standard error of a metric, and NaN where it cannot be computed."""
    return None if written is None or written.value == "N/A" or _is_nan(written.value) else written.number(0)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _listed_metrics(config: Given) -> Iterator[tuple[str, Any]]:
    """The metrics that the task lists, and how it makes one number of each."""
    listed = config.get("metric_list")
    for each in listed.value if listed and isinstance(listed.value, list) else ():
        if isinstance(each, dict) and isinstance(each.get("metric"), str):
            yield each["metric"], each.get("aggregation")


def was_measured(name: str, value: Any) -> bool:
    """Whether it is no mark: RULER's metrics are named by a context's length, and are -1 where no item is of that length."""
    return value != -1 or not name.isdecimal()


def score_first(metrics: list[HarnessMetric], config: Given) -> list[HarnessMetric]:
    """The metrics, that which the task's own list names first of those that there are being the score."""
    known = [metric.name for metric in metrics]
    first = next((name for name, _ in _listed_metrics(config) if name in known), known[0])
    return sorted(metrics, key=lambda metric: metric.name != first)  # a stable sort


def score_of(metric: HarnessMetric, count: int, items: pd.DataFrame | None, samples: str) -> tuple[Score, Interval]:
    """The metric as a record has it, and what its interval is made of.

    Raises:
        FormatError: the answers belong to other results, or a share is none.
    """
    if metric.name in RIGHT_OR_WRONG and not 0 <= metric.value <= 1:
        raise FormatError(metric.label, f"{metric.value:g} is no share")
    values, counts = _values_of_items(metric, items), _counts_right(metric, count)
    # Some metrics of a task are made of all items at once, and no mean of what each has.
    is_mean = values is not None and abs(float(values.mean()) - metric.value) <= MEAN_WITHIN
    if values is not None and not is_mean and counts:
        if metric.error is not None:
            raise FormatError(
                samples, f"its answers give {metric.label} {values.mean():.6g}, and the results say {metric.value:.6g}"
            )
        # The harness has a standard error of every mean, and here it says of none that it is one.
        counts = False
    if values is not None and is_mean:
        count = len(values)
    # A metric of the harness' says nowhere between what its values lie.
    share = bool(values.between(0, 1).all()) if values is not None and is_mean else metric.name in RIGHT_OR_WRONG
    low, high, interval = _harness_bounds(metric, count, values if is_mean else None, share, counts)
    score = Score(
        name=metric.label,
        value=metric.value,
        ci_low=low,
        ci_high=high,
        n=count,
        higher_is_better=metric.higher_is_better,
        share=share,
    )
    return score, interval


def _counts_right(metric: HarnessMetric, count: int) -> bool:
    """Whether the results say that the metric is the share of items that were right, with no other value between."""
    if metric.name not in RIGHT_OR_WRONG or not metric.is_mean:
        return False
    if metric.error is None:
        return True
    # Values between, as truthfulqa_mc2's and coqa's, have a smaller error than as many zeros and ones of the same mean.
    of_zeros_and_ones = math.sqrt(metric.value * (1 - metric.value) / max(count - 1, 1))
    return math.isclose(metric.error, of_zeros_and_ones, rel_tol=ERROR_WITHIN, abs_tol=ERROR_ROUNDED)


def _values_of_items(metric: HarnessMetric, items: pd.DataFrame | None) -> "pd.Series[float] | None":
    """What the metric is of each item; None where not all that it is of have one."""
    if items is None or metric.name not in items:
        return None
    # A length's number is of the items of that length, and any other of all.
    values = items[metric.name].dropna() if metric.name.isdecimal() else items[metric.name]
    return values if values.notna().all() else None


def _harness_bounds(
    metric: HarnessMetric, count: int, values: "pd.Series[float] | None", share: bool, counts: bool
) -> tuple[float | None, float | None, Interval]:
    if values is not None and count > 1:
        numbers = np.asarray(values, dtype=np.float64)[None]
        answered = of_probe("mean", numbers, np.ones(count), None, clusters_of(None, count))
        # Our own rows have their intervals by the same two functions.
        return *of_one_model(answered, "wilson" if share else "plain"), "items"
    if counts:
        return *wilson(metric.value, count), "binomial"
    if metric.error is not None and math.isfinite(abs(metric.value) + Z * metric.error):
        low, high = metric.value - Z * metric.error, metric.value + Z * metric.error
        return (max(low, 0.0), min(high, 1.0), "standard error") if share else (low, high, "standard error")
    return None, None, "none"

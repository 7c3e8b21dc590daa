"""Numbers of somebody else's answers: the mean of the column that their program gave each item."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from bench.records.record import Record
from reports.audit.counting import Bounded
from reports.audit.item_columns import Numbers, Path, part


@dataclass(frozen=True)
class AnsweredMean:
    """A metric of an imported record that is the mean of its items' values."""

    place: Path
    """Of the metric in the record's outcome."""
    items: pd.DataFrame
    """Those that have a value."""
    values: list[float]

    @property
    def bounded(self) -> Bounded:
        return "mean of shares" if self._of_shares else "number"

    @property
    def numbers(self) -> Numbers:
        """What a record says of it, but for its interval."""
        by_name = {"value": math.fsum(self.values) / len(self.values), "n": len(self.values), "share": self._of_shares}
        return {(*self.place, name): float(number) for name, number in by_name.items()}

    @property
    def _of_shares(self) -> bool:
        return all(0 <= value <= 1 for value in self.values)


def answered_means(record: Record, items: pd.DataFrame) -> Iterator[AnsweredMean]:
    """The means of an imported record; none of a record of ours, whose metrics are computed from what was answered.

    Of metrics whose items are neither right nor wrong, nothing but the score says whether it is a mean: another may be made of
    all items at once.
    """
    outcome, source = record.outcome, record.provenance.source
    if outcome is None or source is None:
        return
    answered = part(items, "task")
    # The harness' filter stands in brackets behind a metric's name: `exact_match (strict-match)`.
    score, _, filtered = outcome.score.name.partition(" (")
    for label in outcome.metrics:
        column, _, other = label.partition(" (")
        # The answers are as the score's filter left them, and say nothing of another's numbers.
        if column not in answered or other != filtered:
            continue
        # RULER has a metric for each length of context, and each item has one length.
        known = answered[answered[column].notna()]
        values = [float(value) for value in known[column]]
        if values and (source.interval == "items" if column == score else set(values) <= {0.0, 1.0}):
            yield AnsweredMean(("metrics", label), known, values)
            if column == score:
                yield AnsweredMean(("score",), known, values)


def binomial_bounds(share: float, items: int) -> tuple[float, float]:
    """The 95 % interval of a share of right answers of which nothing but its items' number is known (Wilson 1927)."""
    from scipy.stats import binomtest

    low, high = binomtest(round(share * items), items).proportion_ci(method="wilson")
    return float(low), float(high)

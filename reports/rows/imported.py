"""Rows that were not made here: where they come from, what their intervals are made of, and what is not said of them."""

from collections.abc import Iterator, Sequence

from bench.records.record import Interval
from reports.rows.captions import few_names
from reports.rows.row import Row

MADE_OF: dict[Interval, str] = {
    "items": "intervals are made of the answers per item",
    "binomial": "there are no answers per item: intervals are binomial (Wilson) and comparisons unpaired",
    "standard error": "there are no answers per item: intervals are of published standard errors and comparisons unpaired",
    "none": "there is no interval, and nothing is said of differences",
}


def stated_sources(rows: Sequence[Row]) -> Iterator[str]:
    """A sentence for the rows of each origin: `lora/rank8 and 62 others: imported from ...`."""
    alike: dict[tuple[str, Interval], list[str]] = {}
    for row in rows:
        if (source := row.first.provenance.source) and row.score:
            alike.setdefault((source.whose, source.interval), []).append(row.label)
    for (whose, interval), labels in alike.items():
        yield f"{few_names(labels)}: imported from {whose}; {MADE_OF[interval]}"

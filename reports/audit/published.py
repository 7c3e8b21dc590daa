"""The numbers that a record publishes, by their places in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.records.record import Record
from reports.audit.item_columns import Numbers, Path

SIMPLEST = "constant answer"
"""Of the answers without a model, the one that a row which trains has collapsed beside."""
NOT_OF_ANSWERS = ("cost", "contamination", "data")
"""Parts of a record that no answer gives: what a run took, and counts of its data."""


def published(record: Record) -> Numbers:
    """Every number of a record's outcome, and those of its parts that no answer gives; yes and no are 1 and 0.

    `tunebench results --json` gives the same numbers under names of its own.
    """
    if record.outcome is None:
        return {}
    others = {"contamination": record.trust.contamination, "data": record.trust.data}
    cost = record.cost.model_dump() if record.cost else {}
    # What moves a whole table's intervals is a number too, where there are answers to tell it by.
    tells = record.cost and record.cost.train_examples and SIMPLEST in record.outcome.references
    fallen = {"collapsed": record.outcome.collapsed is not None} if tells else {}
    return dict(_numbers_below(record.outcome.model_dump() | {"cost": cost} | others | fallen))


def _numbers_below(values: Any, place: Path = ()) -> Iterator[tuple[Path, float]]:
    if isinstance(values, bool | int | float):
        yield place, float(values)
    elif isinstance(values, Mapping | list):
        for name, value in values.items() if isinstance(values, Mapping) else enumerate(values):
            yield from _numbers_below(value, (*place, str(name)))

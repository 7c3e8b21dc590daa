"""Task metrics, one file per family; each is counts per item and a number from their sum: leaving items out is a subtraction.

Importing this package, and `counted`, needs numpy alone: reports use them. `metric` gives the same as an `evaluate.Metric`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from bench.errors import unknown
from bench.metrics.base import Counted

if TYPE_CHECKING:
    from bench.metrics.evaluated import EvaluateMetric

SHARED = ("base", "evaluated")
"""Modules that hold no family of metrics."""


def metric(name: str) -> EvaluateMetric:
    """The metric of that name as an `evaluate.Metric` that needs no hub.

    Raises:
        UserError: there is none.
    """
    from bench.metrics.evaluated import EvaluateMetric  # evaluate imports torch: 3 seconds that a report does not have to wait

    family_class = _class(name)
    made: EvaluateMetric = type(family_class.__name__, (family_class, EvaluateMetric), {})()
    return made


def counted(name: str) -> Counted:
    """The metric of that name without what `evaluate` adds and imports.

    Raises:
        UserError: there is none.
    """
    return _class(name)()


def metric_names() -> list[str]:
    """All metrics' names."""
    return sorted(metric_class.name for metric_class in _classes())


def _class(name: str) -> type[Counted]:
    metric_class = next((each for each in _classes() if each.name == name), None)
    if metric_class is None:
        raise unknown("metric", name, metric_names())
    return metric_class


@cache
def _classes() -> tuple[type[Counted], ...]:
    """The classes that the families' modules give a name; a report of thousands of runs asks for each of their numbers."""
    return tuple(_named_classes())


def _named_classes() -> Iterator[type[Counted]]:
    for family in pkgutil.iter_modules(__path__):
        if family.name not in SHARED:
            module = importlib.import_module(f"{__name__}.{family.name}")
            classes = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Counted))
            # Not what it imports from another family.
            yield from (each for each in classes if "name" in vars(each) and each.__module__ == module.__name__)

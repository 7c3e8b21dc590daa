"""What is asked of a plan on top of the suite, and at which points of its axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from bench.planning.axes import Axis, at_values


@dataclass(frozen=True)
class PlanOptions:
    """What the command line says on top of the suite; None means what the suite says."""

    suite: str
    model: str | None = None
    tasks: Sequence[str] | None = None
    strategies: Sequence[str] | None = None
    seeds: int | None = None
    budget: str | None = None
    probe_items: int | None = None
    test_items: int | None = None
    settings: Sequence[str] = ()
    """Hyper-parameters as `key=value` or `strategy.key=value`."""
    trust_remote_code: bool = False
    probe_every: str | None = None
    probe_power: str | None = None
    tune: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `TuneOptions`, as far as they are given."""
    vary: Sequence[str] | None = None
    """Parts of the seed that are moved apart from each other, instead of all together."""
    axes: Sequence[Axis] = ()
    """What is swept: the runs are those of every point."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """The suite's own numbers by name, as an axis has them."""


def sweep_points(options: PlanOptions) -> dict[tuple[str, ...], PlanOptions]:
    """A value on each axis -> what is asked for there; without axes one point of no values."""
    points = {}
    for values in product(*(axis.values for axis in options.axes)):
        own, axis_settings = at_values(options.axes, values)
        # As `--budget` says it: it also goes before the budget that a suite gives encoders.
        budget = own.pop("budget", options.budget)
        settings = [*options.settings, *axis_settings]
        points[values] = replace(options, axes=(), budget=budget, settings=settings, numbers={**options.numbers, **own})
    return points

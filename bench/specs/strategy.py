"""suites/strategies/NAME.yaml."""

from typing import Any

from bench.specs.base import Family, Name, Spec
from bench.specs.search import Dimension


class StrategySpec(Spec):
    """suites/strategies/NAME.yaml: defaults and search space of one way to adapt a model."""

    name: Name
    description: str
    kind: str
    """Name of a module in bench/strategies/ (dashes read as underscores)."""
    hyperparameters: dict[str, Any] = {}
    encoder: dict[str, Any] = {}
    """Hyper-parameters that differ for encoders, nested as those above."""
    types: dict[str, dict[str, Any]] = {}
    """Type of task -> hyper-parameters that differ for decoders on tasks of that type, nested as those above."""
    encoder_types: dict[str, dict[str, Any]] = {}
    """The same for encoders."""
    search: dict[str, Dimension] = {}
    """Hyper-parameter -> its range, for tuning; dots reach into nested ones, as in `--set`."""
    encoder_search: dict[str, Dimension] = {}
    """Ranges that differ for encoders."""

    def defaults(self, family: Family, task_type: str | None = None) -> dict[str, Any]:
        """For models of a family on tasks of a type; without one, on those whose type has no values of its own."""
        of_family, of_types = (self.encoder, self.encoder_types) if family == "encoder" else ({}, self.types)
        return merged(merged(self.hyperparameters, of_family), of_types.get(task_type or "", {}))

    def space(self, family: Family) -> dict[str, Dimension]:
        # Not `merged`: names have their dots here, and a range is replaced whole.
        return {**self.search, **(self.encoder_search if family == "encoder" else {})}


def merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`values` with `changes` on top; a change inside a nested mapping keeps the mapping's other keys, unless it makes another
    `peft_type` of it, which has its own."""
    result = dict(values)
    for name, change in changes.items():
        old = result.get(name)
        if isinstance(old, dict) and isinstance(change, dict):
            same = change.get("peft_type", old.get("peft_type")) == old.get("peft_type")
            result[name] = merged(old if same else {}, change)
        else:
            result[name] = change
    return result

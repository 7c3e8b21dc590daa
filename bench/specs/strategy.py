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
    """Hyper-parameters that differ for encoders."""
    search: dict[str, Dimension] = {}
    """Hyper-parameter -> its range, for tuning; dots reach into nested ones, as in `--set`."""
    encoder_search: dict[str, Dimension] = {}
    """Ranges that differ for encoders."""

    def defaults(self, family: Family) -> dict[str, Any]:
        return {**self.hyperparameters, **(self.encoder if family == "encoder" else {})}

    def space(self, family: Family) -> dict[str, Dimension]:
        return {**self.search, **(self.encoder_search if family == "encoder" else {})}

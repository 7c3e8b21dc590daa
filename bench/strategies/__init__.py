"""Ways to adapt a model, one small file each; their defaults and search spaces are in suites/strategies/."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bench import plugins
from bench.errors import UserError
from bench.specs.base import Family, explain
from bench.specs.strategy import StrategySpec, merged
from bench.strategies.base import Strategy

__all__ = ["Strategy", "load_strategy", "value_of", "with_values"]


def load_strategy(
    spec: StrategySpec,
    family: Family,
    overrides: dict[str, Any],
    suite: dict[str, Any] | None = None,
    task_type: str | None = None,
) -> Strategy:
    """The strategy with its defaults for the model's family and the task's type, what the suite sets for it, and `overrides` on
    top.

    Raises:
        UserError: the kind or a hyper-parameter does not exist, or a value is not allowed.
    """
    import bench.strategies as package

    kind = plugins.load_class(package, spec.kind, Strategy, "strategy kind")
    fields = kind.Hyperparameters.model_fields
    # The suite's word is for all its runs, and must be meant: an unknown name in it is refused below.
    values = merged(spec.defaults(family, task_type), suite or {})
    # --set speaks to all strategies of a plan; each takes what it knows, and the plan checks that one does.
    values = merged(values, {name: value for name, value in overrides.items() if name in fields})
    try:
        return kind(spec.name, kind.Hyperparameters.model_validate(values))
    except ValidationError as error:
        place = f"strategy '{spec.name}'" + (" with the suite's hyperparameters" if suite else "")
        raise UserError(f"{place}: {explain(error, kind.Hyperparameters)}") from error


def with_values(strategy: Strategy, values: Mapping[str, Any]) -> Strategy:
    """The strategy with other values of some hyper-parameters; dots in a name reach into nested ones.

    Raises:
        UserError: there is no such hyper-parameter, or a value is not allowed.
    """
    changed = strategy.hyperparameters.model_dump(mode="json")
    for name, value in values.items():
        for key in reversed(name.split(".")):
            value = {key: value}
        changed = merged(changed, value)
    kind = type(strategy)
    try:
        return kind(strategy.name, kind.Hyperparameters.model_validate(changed))
    except ValidationError as error:
        raise UserError(f"strategy '{strategy.name}': {explain(error, kind.Hyperparameters)}") from error


def value_of(strategy: Strategy, name: str) -> Any:
    """A hyper-parameter's value; dots in its name reach into nested ones, and what is not there is None."""
    value: Any = strategy.hyperparameters.model_dump(mode="json")
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value

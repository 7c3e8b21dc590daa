"""`--set`: hyper-parameters from the command line, for all strategies or for one."""

from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from bench.errors import FormatError, UserError, unknown
from bench.specs.yaml_text import yaml_value

if TYPE_CHECKING:
    from bench.strategies import Strategy

Setting = tuple[str | None, list[str], Any]
"""Strategy or None for all, keys from the outside in, value."""


def parse(settings: Sequence[str], strategy_names: Sequence[str]) -> list[Setting]:
    """`[strategy.]key[.key]=value` -> (strategy or None, keys, value)."""
    parsed = []
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise UserError(f"--set {setting}: write it as key=value or strategy.key=value")
        # A strategy's name may have dots, so that the longest that begins the path is meant. `full=1` names a hyper-parameter,
        # if a strange one: a strategy has no value.
        owner = max((name for name in strategy_names if path.startswith(f"{name}.")), key=len, default=None)
        keys = path.removeprefix(f"{owner}.").split(".")
        try:
            parsed.append((owner, keys, yaml_value(value)))
        except FormatError as error:
            raise UserError(f"--set {setting:.200}: the value cannot be read as YAML: {error}") from None
    return parsed


def values_for(strategy: str, settings: Sequence[Setting]) -> dict[str, Any]:
    """What is set for a strategy, nested as its hyper-parameters are.

    Raises:
        UserError: a value is set inside of what was set to a single value.
    """
    values: dict[str, Any] = {}
    for owner, keys, value in settings:
        if owner in (None, strategy):
            place = values
            for key in keys[:-1]:
                place = place.setdefault(key, {})
                if not isinstance(place, dict):
                    raise UserError(f"--set {'.'.join(keys)}: '{key}' was set to a single value before")
            place[keys[-1]] = deepcopy(value)  # what is set inside of it for one strategy is not set for the next
    return values


def check_known(settings: Sequence[Setting], loaded: "Sequence[Strategy]") -> None:
    """Raise UserError where no strategy that is spoken to has such a hyper-parameter. What is said to a strategy that is not
    among them is looked at where it is."""
    names = {strategy.name for strategy in loaded}
    for owner, keys, _ in settings:
        if owner is not None and owner not in names:
            continue
        fields = {name for s in loaded if owner in (None, s.name) for name in type(s.hyperparameters).model_fields}
        if keys[0] not in fields:
            raise unknown("hyper-parameter", keys[0], fields)

"""`--axis`, or an entry of a suite's `ablations`: a hyper-parameter of a strategy or a number of the suite, and the values at
which it is tried."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from bench.errors import FormatError, UserError
from bench.specs.base import explain
from bench.specs.suite import SuiteSpec
from bench.specs.yaml_text import yaml_value

SUITES_OWN = ("budget", "batch", "max_length")
"""The suite's own numbers that an axis may sweep; every other name is a hyper-parameter."""
MOST_AXES = 2
COMMA = re.compile(r",(?![^\[{]*[\]}])")
"""Between values, and not within the brackets of one."""


@dataclass(frozen=True)
class Axis:
    """A name such as `peft.r`, and the values as they were written."""

    name: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}={','.join(self.values)}"


def parse_axes(texts: Sequence[str]) -> list[Axis]:
    """`["peft.r=2,4", "learning_rate=1e-4,1e-3"]` as axes.

    Raises:
        UserError: one of them cannot be read, has a single value or one twice, or there are more than a table has sides.
    """
    return _sides([_axis(text) for text in texts])


def axes_of(values: Mapping[str, Sequence[object]]) -> list[Axis]:
    """The axes of an entry of a suite's `ablations`, a list of values for each name.

    Raises:
        UserError: as `parse_axes`.
    """
    return _sides([_axis_of_values(name, [_as_setting(each) for each in listed]) for name, listed in values.items()])


def _as_setting(value: object) -> str:
    """As it would stand in `--set`: JSON is YAML too."""
    return value if isinstance(value, str) else json.dumps(value)


def _sides(axes: list[Axis]) -> list[Axis]:
    if not axes or len(axes) > MOST_AXES or len({axis.name for axis in axes}) < len(axes):
        named = ", ".join(map(str, axes)) or "none"
        raise UserError(f"--axis: name one axis, or two different ones; these are {named}")
    return axes


def _axis(text: str) -> Axis:
    name, equals, listed = text.partition("=")
    values = [value.strip() for value in COMMA.split(listed)]
    if not (name.strip() and equals and all(values)):
        raise UserError(f"--axis {text}: write it as name=value,value, such as peft.r=2,4,8")
    return _axis_of_values(name.strip(), values)


def _axis_of_values(name: str, values: Sequence[str]) -> Axis:
    axis = Axis(name, tuple(values))
    if len(values) < 2 or len(set(values)) < len(values):
        raise UserError(f"--axis {axis}: name at least two values, each once")
    return axis


def with_numbers(suite: SuiteSpec, numbers: Mapping[str, str]) -> SuiteSpec:
    """The suite with other numbers of its own.

    Raises:
        UserError: one of them is not allowed there.
    """
    if not numbers:
        return suite
    try:
        # As `--set` reads its values.
        given = {name: yaml_value(text) for name, text in numbers.items()}
    except FormatError as error:
        raise UserError(f"--axis: a value cannot be read as YAML: {error}") from None
    try:
        return SuiteSpec.model_validate({**suite.model_dump(exclude_unset=True), **given})
    except ValidationError as error:
        raise UserError(f"--axis: {explain(error, SuiteSpec)}") from error


def at_values(axes: Sequence[Axis], values: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """At one point: the suite's own numbers by name, and the settings of the strategy."""
    named = {axis.name: value for axis, value in zip(axes, values, strict=True)}
    own = {name: value for name, value in named.items() if name in SUITES_OWN}
    return own, [f"{name}={value}" for name, value in named.items() if name not in SUITES_OWN]

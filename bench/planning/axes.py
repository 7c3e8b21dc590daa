"""`--axis`: a hyper-parameter of a strategy, or the budget, and the values at which it is tried."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import UserError

SUITES_OWN = "budget"
"""The suite's own number that an axis may sweep; every other name is a hyper-parameter."""
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
    axes = [_axis(text) for text in texts]
    if not axes or len(axes) > MOST_AXES or len({axis.name for axis in axes}) < len(axes):
        raise UserError(f"--axis: name one axis, or two different ones; these are {', '.join(texts) or 'none'}")
    return axes


def _axis(text: str) -> Axis:
    name, equals, listed = text.partition("=")
    values = tuple(value.strip() for value in COMMA.split(listed))
    if not (name.strip() and equals and all(values)):
        raise UserError(f"--axis {text}: write it as name=value,value, such as peft.r=2,4,8")
    if len(values) < 2 or len(set(values)) < len(values):
        raise UserError(f"--axis {text}: name at least two values, each once")
    return Axis(name.strip(), values)


def at_values(axes: Sequence[Axis], values: Sequence[str]) -> tuple[str | None, list[str]]:
    """The budget, where an axis sweeps it, and the settings at one point."""
    named = {axis.name: value for axis, value in zip(axes, values, strict=True)}
    return named.pop(SUITES_OWN, None), [f"{name}={value}" for name, value in named.items()]

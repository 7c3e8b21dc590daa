"""What tuning may try: each hyper-parameter's range, and how many trials are made of it, from which sampler."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from bench.specs.base import Spec

Sampler = Literal["random", "tpe"]
Pruner = Literal["none", "halving"]
Value = float | int | str | bool | None


class NumberRange(Spec):
    """A number between two bounds, both included: uniform, log-uniform with `log`, whole with `integer`."""

    low: float
    high: float
    log: bool = False
    integer: bool = False

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low:g}) must lie below high ({self.high:g})")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithm needs a low above 0, not {self.low:g}")
        if self.integer and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError("the bounds of an integer are whole numbers")
        return self

    def holds(self, value: Any) -> bool:
        """Whether it could be sampled."""
        # To Python, true is the number 1.
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (not self.integer or float(value).is_integer())

    @property
    def ends(self) -> list[Value]:
        """The outermost values, which must be allowed like all between them."""
        return [int(end) if self.integer else end for end in (self.low, self.high)]

    @property
    def values(self) -> Sequence[Value] | None:
        """All that it holds; None where they can't be counted, as numbers between two bounds."""
        return range(int(self.low), int(self.high) + 1) if self.integer else None

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


class Choice(Spec):
    """One of several values."""

    choice: list[Value] = Field(min_length=2)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if any(value in self.choice[:place] for place, value in enumerate(self.choice)):
            raise ValueError("a value stands twice in the choice")
        return self

    def holds(self, value: Any) -> bool:
        """Whether it could be sampled."""
        return value in self.choice

    @property
    def ends(self) -> list[Value]:
        """All values, each of which must be allowed."""
        return self.choice

    @property
    def values(self) -> Sequence[Value] | None:
        """All that it holds."""
        return self.choice

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.choice))}"


def _dimension_form(value: Any) -> str:
    """Which of the two is meant, so that a fault is told of that one alone."""
    return "Choice" if isinstance(value, Choice) or (isinstance(value, dict) and "choice" in value) else "NumberRange"


Dimension = Annotated[
    Annotated[NumberRange, Tag("NumberRange")] | Annotated[Choice, Tag("Choice")], Discriminator(_dimension_form)
]


class TuneOptions(Spec):
    """How hyper-parameters are chosen: the same for every strategy of a suite."""

    trials: int = Field(ge=1)
    """Of each strategy that has anything to search; the first is its default."""
    sampler: Sampler = "random"
    pruner: Pruner = "none"
    share: float = Field(default=1.0, gt=0, le=1)
    """Of the run's budget that a trial may spend. The whole of it, as the best rate of a short training is not that of a long
    one."""
    seeds: int = Field(default=1, ge=1)
    """Trainings of each trial, over whose validation scores the mean is taken."""


class Search(Spec):
    """The search that a run's hyper-parameters come from."""

    options: TuneOptions
    space: dict[str, Dimension] = Field(min_length=1)
    """Hyper-parameter -> its range; dots reach into nested ones: `peft.r`."""
    items: int = Field(ge=2)
    """Validation items that a trial is scored on, at most."""

    @property
    def asking(self) -> dict[str, Any]:
        """What determines which trials are asked for, as JSON values: not how many, as more begin with the same."""
        return self.model_dump(mode="json", exclude={"options": {"trials"}})

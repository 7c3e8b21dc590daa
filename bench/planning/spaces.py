"""What is searched for a strategy: the ranges of its file, without what `--set` has fixed, checked before any training."""

from collections.abc import Mapping
from itertools import islice, product
from typing import Any

from pydantic import ValidationError

from bench.errors import UserError
from bench.specs.base import explain
from bench.specs.search import Dimension, Search, TuneOptions
from bench.strategies import Strategy, value_of, with_values

FIRST_TRIAL_SEED = 1000
"""Trials are trained with other seeds than the runs that are published, which have those below it: what is chosen must not be
what suited theirs."""
COMBINATIONS = 256
"""Of ends of ranges that are tried before any training; more than eight ranges hardly anybody searches."""
TRIAL_ITEMS = 512
"""Validation items that a trial is scored on: at an accuracy of .8 its standard error is 1.8 points."""


def tune_options(suite: TuneOptions | None, given: Mapping[str, Any]) -> TuneOptions | None:
    """The suite's, with what the command line gives on top; None where neither asks for trials.

    Raises:
        UserError: a value is not allowed, or it is said how to tune and not how often.
    """
    if suite is None and not given:
        return None
    values = {**(suite.model_dump() if suite else {}), **given}
    if "trials" not in values:
        # Two of the fields have longer names on the command line.
        option = {"share": "tune-share", "seeds": "tune-seeds"}.get(min(given), min(given))
        raise UserError(f"--{option} says how to tune, and nothing says how often: give --tune K too")
    try:
        return TuneOptions.model_validate(values)
    except ValidationError as error:
        raise UserError(f"tuning: {explain(error, TuneOptions)}") from error


def search_of(
    strategy: Strategy, space: Mapping[str, Dimension], fixed: Mapping[str, Any], options: TuneOptions, items: int
) -> Search | None:
    """The search of a strategy; None where it trains nothing, and nothing of it is left to search.

    Args:
        fixed: what `--set` says, nested as hyper-parameters are: the user has chosen it, and it is not searched.

    Raises:
        UserError: there is nothing to search of one that trains, a range's end is not allowed, or the default lies outside.
    """
    place = f"strategy '{strategy.name}'"
    free = {name: dimension for name, dimension in space.items() if not _says_something_of(fixed, name)}
    if not free:
        if not strategy.trains:
            return None
        why = "--set fixes all that it would search" if space else "its file has no search space under `search`"
        raise UserError(f"{place} cannot be tuned: {why}; leave that out, or leave it out of --strategies")
    for name, dimension in free.items():
        for end in dimension.ends:
            try:
                with_values(strategy, {name: end})
            except UserError as error:
                raise UserError(f"search space of {error}") from error
        if not dimension.holds(default := value_of(strategy, name)):
            raise UserError(
                f"{place}: {name} {default} is the default, with which its trials begin, and lies outside of its search space, "
                f"{dimension}; widen `search.{name}` in its file, or fix it: --set {strategy.name}.{name}={default}"
            )
    _check_together(strategy, free)
    return Search(options=options, space=free, items=items)


def _check_together(strategy: Strategy, space: Mapping[str, Dimension]) -> None:
    """Whether the ends of the ranges are allowed together, and with them what lies between: a trial may draw any of it.

    Raises:
        UserError: some are not, as shares of the budget whose sum leaves nothing.
    """
    for ends in islice(product(*(dimension.ends for dimension in space.values())), COMBINATIONS):
        values = dict(zip(space, ends, strict=True))
        try:
            with_values(strategy, values)
        except UserError as error:
            drawn = ", ".join(f"{name}={value}" for name, value in values.items())
            raise UserError(f"search space of {error} (where a trial draws {drawn})") from error


def _says_something_of(values: Any, name: str) -> bool:
    """Whether nested values say something of a hyper-parameter, or of all that it is in."""
    for key in name.split("."):
        if not isinstance(values, Mapping):
            return True
        if key not in values:
            return False
        values = values[key]
    return True

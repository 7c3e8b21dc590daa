"""Options that several commands have."""

from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import UserError

Out = Annotated[Path, typer.Option(help="Folder of results.")]
DEFAULT_OUT = Path("out")
AllowUnequal = Annotated[
    bool, typer.Option("--allow-unequal", help="Show rows that answer different questions, with what differs in the caption.")
]
OfBudget = Annotated[str | None, typer.Option("--budget", help="Only rows of this budget, and those that train nothing.")]


def comma_separated(text: str | None) -> list[str] | None:
    """A comma-separated option as a list; None when it was not given."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def finite_limit(option: str, number: float | None) -> float | None:
    """A number as it was given.

    Raises:
        UserError: it is infinite or no number, so that nothing is more than it.
    """
    if number is not None and not isfinite(number):
        raise UserError(f"{option} {number} is no limit; give a finite number, or leave it out")
    return number


def size(option: str, text: str | None) -> int | None:
    """Bytes, of a size such as 4GB; None when it was not given.

    Raises:
        UserError: it is no size.
    """
    if text is None:
        return None
    from bench.specs.budget import Budget

    try:
        # A size is written as a budget's memory ceiling is.
        limits = Budget.parse(text).limits
    except UserError:
        limits = {}
    if set(limits) != {"memory"}:
        raise UserError(f"{option} '{text}' is no size; write it like 4GB or 500MB")
    return int(limits["memory"])

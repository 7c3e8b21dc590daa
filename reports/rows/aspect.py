"""One thing that rows which are compared have in common."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.records.record import Record


@dataclass(frozen=True)
class Aspect:
    """What must be alike in all rows of a table, and how a run shows it; None where its record does not know."""

    name: str
    refuses: bool
    of: Callable[[Record], str | None]

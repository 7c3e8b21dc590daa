"""`ablations` of suites/NAME.yaml."""

from typing import Annotated, Any

from pydantic import Field

from bench.specs.base import Name, Spec


class AblationSpec(Spec):
    """A sweep that a suite keeps: one strategy at several values of one or two axes."""

    strategy: Name
    # A table has two sides.
    axes: dict[str, Annotated[list[Any], Field(min_length=2)]] = Field(min_length=1, max_length=2)
    """Name -> values: a hyper-parameter of the strategy by its dotted name as in `--set`, `budget`, `batch` or `max_length`."""

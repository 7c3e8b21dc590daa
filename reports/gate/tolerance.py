"""How small a change nobody minds, in each unit that changes are in."""

import re
from dataclasses import dataclass

import numpy as np

from bench.errors import UserError
from reports.rows.numbers import Quantity


@dataclass(frozen=True)
class Tolerance:
    """The margins inside which a change counts as none; 0: no change does."""

    points: float = 2.0
    """Of scores and losses between 0 and 1, in hundredths."""
    nats: float = 0.05
    """Of losses; of a loss per token, .05 nats are 5 % of its perplexity."""
    percent: float = 5.0
    """Of costs, and of all that is in another unit."""

    def of(self, quantity: Quantity, old: float) -> float:
        """For a difference of this quantity, in its own unit."""
        if quantity.share:
            return self.points / 100
        # Losses per token, per answer and per item are all in nats.
        return self.nats if quantity.unit.startswith("nats") else self.percent / 100 * abs(old)

    @property
    def of_costs(self) -> float:
        """For the logarithm of a quotient of costs."""
        # A cost is compared as a quotient, and 5 % more is one of 1.05.
        return float(np.log1p(self.percent / 100))

    def __str__(self) -> str:
        return f"{self.points:g} points, {self.nats:g} nats, {self.percent:g} %"


def parsed_within(text: str | None) -> Tolerance:
    """`2points`, `.02nats`, `5%`, or several with commas between them; what is not named keeps its default.

    Raises:
        UserError: it is none of these.
    """
    values_by_unit: dict[str, float] = {}
    for part in text.split(",") if text is not None else ():
        match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(points|nats|%)\s*", part)
        # The fields have names, and a percent sign is none.
        unit = match and match[2].replace("%", "percent")
        if not match or not unit or unit in values_by_unit:
            raise UserError(f"within '{text}': give what nobody minds in points, nats or %, as 2points,.05nats,5%")
        values_by_unit[unit] = float(match[1])
    return Tolerance(**values_by_unit)

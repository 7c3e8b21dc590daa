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
    """Of losses per answer or item."""
    percent: float = 5.0
    """Of costs, and of all that is in another unit."""
    nats_per_token: float = 0.01
    """Of losses per token: 1 % of a perplexity. What training does to a token is small beside what it does to an answer."""

    def of(self, quantity: Quantity, old: float) -> float:
        """For a difference of this quantity, in its own unit."""
        if quantity.share:
            return self.points / 100
        if quantity.unit == "nats per token":
            return self.nats_per_token
        return self.nats if quantity.unit.startswith("nats") else self.percent / 100 * abs(old)

    @property
    def of_costs(self) -> float:
        """For the logarithm of a quotient of costs."""
        # A cost is compared as a quotient, and 5 % more is one of 1.05.
        return float(np.log1p(self.percent / 100))

    def __str__(self) -> str:
        return f"{self.points:g} points, {self.nats:g} nats, {self.nats_per_token:g} nats per token, {self.percent:g} %"


FIELDS = {"points": "points", "nats": "nats", "nats/token": "nats_per_token", "%": "percent"}
"""A unit as it is given -> its field."""


def parsed_within(text: str | None) -> Tolerance:
    """`2points`, `.02nats`, `.005nats/token`, `5%`, or several with commas between them; what is not named keeps its default.
    Nats that are given alone are for losses per token too.

    Raises:
        UserError: it is none of these.
    """
    margins: dict[str, float] = {}
    for part in text.split(",") if text is not None else ():
        match = re.fullmatch(rf"\s*(\d+\.?\d*|\.\d+)\s*({'|'.join(FIELDS)})\s*", part)
        if not match or FIELDS[match[2]] in margins:
            example = "2points,.05nats,.01nats/token,5%"
            raise UserError(f"within '{text}': give what nobody minds in points, nats or %, as {example}")
        margins[FIELDS[match[2]]] = float(match[1])
    # Who named one margin for nats, named it for all of them.
    if "nats" in margins:
        margins.setdefault("nats_per_token", margins["nats"])
    return Tolerance(**margins)

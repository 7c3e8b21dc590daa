"""A number of one row now and before, and what is said of it."""

from dataclasses import dataclass
from typing import Literal

from bench.statistics.change import ChangeVerdict
from bench.statistics.detectable import Detectable
from bench.statistics.intervals import Margin, limits
from reports.rows.numbers import Quantity
from reports.rows.row import Row

Question = Literal["quality", "forgetting", "cost"]
TITLES = {
    "score": "score",
    "elsewhere": "score on",
    "forgetting": "forgets",
    "tokens": "trained tokens",
    "flops": "training FLOPs",
    "saved": "saved bytes",
    "memory": "peak memory",
    "training": "training seconds",
}
"""Term of reports/definitions.yaml -> how a line calls it."""


@dataclass(frozen=True)
class MatchDifference:
    """A number now and before. Of a cost, which is compared as a quotient, `value` is its natural logarithm."""

    row: Row
    """The new one."""
    question: Question
    term: str
    """Its entry in reports/definitions.yaml."""
    name: str
    """Of the other task, the domain or the probe; empty for what a row has one of."""
    quantity: Quantity
    new: float
    old: float
    value: float
    """New minus old."""
    margin: Margin
    within: float
    """What nobody minds, in the unit of `value`."""
    higher_is_better: bool = False
    paired: bool = True
    """Whether it is held over the items that both sides answered; else it is made of the two intervals."""
    accuracy: float | None = None
    """The old score, where it is a share of right answers."""
    reach: float = 0.0
    """How far all items together can move it, if that is known; of the very same runs, which can't move, 0."""

    @property
    def rise(self) -> float:
        """The value, positive where it is for the better."""
        return self.value if self.higher_is_better else -self.value

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of the value, not corrected for how many are looked at."""
        # A difference has no ends to be kept inside, as the score that it is of may have.
        low, high = limits(self.value, self.margin)
        return float(low), float(high)

    @property
    def title(self) -> str:
        """`score`, `forgets wikipedia`, `peak memory`"""
        return f"{TITLES[self.term]} {self.name}".rstrip()


@dataclass(frozen=True)
class Change:
    """What is said of it among all that are looked at together."""

    difference: MatchDifference
    p: float
    """How surprising the difference is if the truth is 0, corrected for their number."""
    verdict: ChangeVerdict
    detectable: Detectable
    """The smallest change for the worse that is found four times out of five."""

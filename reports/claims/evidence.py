"""One comparison that a claim rests on, and what many of them together allow to say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.statistics.comparison import holm
from bench.statistics.detectable import detectable
from bench.statistics.intervals import CONFIDENCE, Margin

ClaimVerdict = Literal["holds", "does not hold", "can't tell"]
NO_CHANCE = 1e-16
"""The p value of a count, in which nothing is chance."""


@dataclass(frozen=True)
class Evidence:
    """Two rows held against each other, as a claim has it."""

    rows: str
    """Which, and on what."""
    measured: str
    """The number, with its interval where it has one."""
    lead: float
    """How far the number lies on the claim's side of its bound; of ratios on the logarithmic scale. Negative: on the other."""
    margin: Margin | None
    """Of `lead`. None: the number is a count, without chance."""
    write: Callable[[float], str] = str
    """A lead of that size as a number."""
    around: tuple[str, str] = ("", "")
    """What stands before and behind such a number: `a ratio of `, ` points`."""

    @property
    def p(self) -> float:
        if self.margin is None:
            # A count at its very bound is on neither side of it.
            return NO_CHANCE if self.lead else 1.0
        return float(self.margin.p(self.lead))

    def smallest(self, tests: int) -> str | None:
        """The smallest lead that is found four times out of five among so many comparisons, with its 80 % range; None where
        nothing is chance, or nothing is known of it."""
        if self.margin is None or not np.isfinite(float(self.margin.half_width())):
            return None
        found, (before, behind) = detectable(self.margin, tests), self.around
        if not found.value > 0:
            return None
        # Of one seed there is no variance to know badly, and no range.
        bounds = f" ({self.write(found.low)} to {self.write(found.high)})" if found.low < found.high else ""
        return f"{before}{self.write(found.value)}{bounds}{behind}"


@dataclass(frozen=True)
class Weighed:
    """A comparison with its p among all that were looked at together (Holm)."""

    evidence: Evidence
    p: float
    tests: int

    @property
    def verdict(self) -> ClaimVerdict:
        if self.p > 1 - CONFIDENCE or not self.evidence.lead:
            return "can't tell"
        return "holds" if self.evidence.lead > 0 else "does not hold"

    @property
    def smallest(self) -> str | None:
        return self.evidence.smallest(self.tests)


def weighed(evidence: Sequence[Evidence]) -> list[Weighed]:
    """All comparisons, corrected for their number."""
    if not evidence:
        return []
    ps = holm(np.array([each.p for each in evidence]))
    return [Weighed(each, float(p), len(evidence)) for each, p in zip(evidence, ps, strict=True)]


def together(parts: Sequence[Weighed]) -> ClaimVerdict:
    """A claim is general: it holds where every comparison says so, and one that says the opposite is enough against it."""
    verdicts = {part.verdict for part in parts}
    if "does not hold" in verdicts:
        return "does not hold"
    return "holds" if verdicts == {"holds"} else "can't tell"

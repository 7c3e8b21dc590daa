"""Numbers now against what they were: worse, better, the same within a margin, or can't tell.

Worse and better are findings among all changes that are looked at together (Holm). The same within X is shown, and not the
absence of a finding: two one-sided tests at .04, which is the 92 % interval inside -X to X (Schuirmann 1987), of each change by
itself. What is shown to be smaller than X is the same, also where it is surely not zero: X is what nobody minds.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.statistics.arrays import Floats
from bench.statistics.comparison import holm
from bench.statistics.detectable import EQUIVALENCE
from bench.statistics.intervals import Margin
from bench.statistics.power import LEVEL

ChangeVerdict = Literal["worse", "same", "better", "can't tell"]


@dataclass(frozen=True)
class ChangeVerdicts:
    """What is said of changes that are looked at together, (..., changes)."""

    p: Floats
    """How surprising each is if the truth is 0, corrected for their number."""
    verdicts: npt.NDArray[np.str_]
    """Of each, a ChangeVerdict."""


def change_verdicts(rises: Floats, margin: Margin, within: float | Floats, reach: float | Floats = 0.0) -> ChangeVerdicts:
    """Of rises, (..., changes), positive where they are for the better, with their margin and what nobody minds.

    Args:
        reach: how far all items together can move at most: 1 of shares, 0 where nothing is known of it. Of n items of which
            none has moved, no more is shown than that a share of 1 - (EQUIVALENCE / 2)^(1/n) may (Clopper & Pearson 1934). It
            is added in squares where some have: of few that moved, as where F1 is near 0, the variance is known as badly.
    """
    rises = np.asarray(rises, dtype=np.float64)
    if not rises.size:
        return ChangeVerdicts(rises, np.array([], dtype=np.str_))
    p = holm(margin.p(rises))
    unmoved = reach * (1 - (EQUIVALENCE / 2) ** (1 / (np.asarray(margin.item_freedom, dtype=np.float64) + 1)))
    # At the limit too: what is counted and did not change is the same, also where nothing else is minded.
    same = np.abs(rises) + np.hypot(margin.half_width(EQUIVALENCE), unmoved) <= within
    significant = p <= LEVEL
    return ChangeVerdicts(
        p, np.select([same, significant & (rises < 0), significant], ["same", "worse", "better"], "can't tell")
    )

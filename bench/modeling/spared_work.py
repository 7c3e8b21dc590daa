"""What this process was spared: layers that a pass need not go through, as what they would give had been kept.

Costs are told as if a run were alone. So whoever times a run reads `clock`, on which the time that another run has had for this
one goes by as if it had been spent now.
"""

import time
from dataclasses import dataclass, field

from bench.tokens.token_counts import TokenCounts


@dataclass
class Spared:
    """Counts since the process began; whoever wants those of a stretch takes the difference."""

    work: TokenCounts = field(default_factory=TokenCounts)
    """Places and pairs that passes did not go through in the layers that never change."""
    seconds: float = 0.0
    """What it took other runs to compute what was kept: counted once for each run that reads it."""


SPARED = Spared()


def clock() -> float:
    """Seconds by a clock that only goes forward: the wall clock's, and those that other runs have spent for this one."""
    return time.perf_counter() + SPARED.seconds

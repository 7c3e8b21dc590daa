"""What a piece of work is planned to take, as far as placing it needs to know: how long, beside others, and how much memory."""

from dataclasses import dataclass, field
from functools import cache

from bench.modeling.models import Model
from bench.planning.estimate import CostEstimate, cost_key, estimate_cost
from bench.running.ceiling import HEADROOM
from bench.runs.run import Run

RATE = 5e10
"""FLOP/s by which a budget in seconds is put among the others."""


def flops(run: Run) -> float:
    """Of training it and asking its probes: who takes most begins first."""
    cost = _estimated(_Like.of(run))
    return float((cost.operations or 0) + cost.probing)


def bytes_held(run: Run) -> int:
    """Bytes on its device, at most."""
    memory = _estimated(_Like.of(run)).memory
    # The base is asked before, in its reference precision.
    base = run.checkpoint.reference_bits // 8 * memory.parameters if isinstance(run.model, Model) else 0
    return round(HEADROOM * max(memory.total, base))


@dataclass(frozen=True)
class _Like:
    """A run, by what its cost hangs on."""

    key: str
    run: Run = field(compare=False)

    @classmethod
    def of(cls, run: Run) -> "_Like":
        return cls(cost_key(run), run)


@cache
def _estimated(like: _Like) -> CostEstimate:
    return estimate_cost(like.run, RATE)

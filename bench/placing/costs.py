"""What a piece of work is planned to take, as far as placing it needs to know: how long, beside others, and how much memory."""

from dataclasses import dataclass, field
from functools import cache

from bench.hashing import digest
from bench.planning.estimate import CostEstimate, estimate_cost
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
    # The base is asked before, in fp32.
    return round(HEADROOM * max(memory.total, 4 * memory.parameters))


COSTLESS_PARTS = {"seed", "seeds", "search"}
"""Parts of a run's question on which its cost does not hang."""
COSTLESS_VALUES = {"learning_rate", "weight_decay", "warmup", "schedule", "max_grad_norm", "dropout", "label_smoothing"}
"""Hyper-parameters of which the same is true."""


@dataclass(frozen=True)
class _Like:
    """A run, by what its cost hangs on: of a search's trials, and of a strategy's seeds, one stands for all."""

    key: str
    run: Run = field(compare=False)

    @classmethod
    def of(cls, run: Run) -> "_Like":
        question = {name: value for name, value in run.inputs.items() if name not in COSTLESS_PARTS}
        chosen = {name: value for name, value in question["hyperparameters"].items() if name not in COSTLESS_VALUES}
        return cls(digest(question | {"hyperparameters": chosen}), run)


@cache
def _estimated(like: _Like) -> CostEstimate:
    return estimate_cost(like.run, RATE)

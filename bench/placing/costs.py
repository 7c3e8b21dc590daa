"""What a piece of work is planned to take, as far as placing it needs to know: how long, beside others, and how much memory."""

from functools import cache

from bench.planning.estimate import CostEstimate, estimate_cost
from bench.running.ceiling import HEADROOM
from bench.running.run import Run

RATE = 5e10
"""FLOP/s by which a budget in seconds is put among the others."""


def flops(run: Run) -> float:
    """Of training it and asking its probes: who takes most begins first."""
    cost = _estimated(_like(run))
    return float((cost.operations or 0) + cost.probing)


def bytes_held(run: Run) -> int:
    """Bytes on its device, at most."""
    memory = _estimated(_like(run)).memory
    # The base is asked before, in fp32.
    return round(HEADROOM * max(memory.total, 4 * memory.parameters))


class _Like:
    """Runs that cost the same, as a key: of a search's trials, and of a strategy's seeds, one stands for all."""

    def __init__(self, run: Run) -> None:
        self.run = run
        strategy = run.strategy
        self._key = (run.model.content_hash, run.task.name, strategy.name, strategy.bits, str(run.budget), run.probes != ())

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Like) and self._key == other._key


def _like(run: Run) -> _Like:
    return _Like(run)


@cache
def _estimated(like: _Like) -> CostEstimate:
    return estimate_cost(like.run, RATE)

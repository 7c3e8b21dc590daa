"""A budget's counted limits, and what the examples of a training take of them.

Each is a sum over examples, so that neither batches nor processes enter: an example counts 1, its tokens without padding, and
its useful FLOPs by the formula of bench/modeling/flops.py. Steps are counted in the examples that fill them.
"""

from collections.abc import Mapping, Sequence

from bench.modeling.flops import Flops
from bench.records.record import Limit, Spending
from bench.runs.run import Run
from bench.specs.budget import Budget
from bench.tokens.encoded import Encoded
from bench.tokens.token_counts import useful_counts
from bench.training.state import TrainingState

Costs = Mapping[str, int]
"""What one example takes, by the name of the limit."""


def counted_limits(budget: Budget, batch: int) -> dict[str, int]:
    """The counted limits by name, in the order in which the first to be reached is told."""
    limits = {name: amount for name, amount in budget.limits.items() if name in ("examples", "steps", "tokens", "flops")}
    if budget.steps is not None:
        limits["steps"] = budget.steps * batch
    return {name: int(amount) for name, amount in limits.items()}


def costs(windows: Sequence[Encoded], operations: Flops | None) -> Costs:
    """What an example takes that the model reads in these windows; no FLOPs without the model's `operations`."""
    flops = 0 if operations is None else operations.useful(useful_counts(windows))
    return {"examples": 1, "steps": 1, "tokens": sum(encoded.fed for encoded in windows), "flops": flops}


class Account:
    """What has been taken of the counted limits so far."""

    def __init__(self, most: Mapping[str, int]) -> None:
        self._most = most
        self._spent = dict.fromkeys(most, 0)

    def take(self, example: Costs) -> str | None:
        """Spend what an example takes. Where that would pass a limit, nothing is spent, and the first such limit is named."""
        after = {name: spent + example[name] for name, spent in self._spent.items()}
        if passed := next((name for name, amount in after.items() if amount > self._most[name]), None):
            return passed
        self._spent = after
        return None

    @property
    def share(self) -> float:
        """How much is spent of the limit that is nearest to its end; 0 where there is none."""
        return max((spent / self._most[name] for name, spent in self._spent.items()), default=0.0)


def spending(run: Run, training: TrainingState, useful_flops: int, peak_bytes: int) -> Spending:
    """What a run's training took of its budget, which each of its stages has anew."""
    taken: dict[str, int | float] = {
        "examples": training.examples,
        "steps": len(training.losses),
        "tokens": training.tokens,
        "flops": useful_flops,
        # What is counted is never overrun. Of seconds a short stage would hide that another one was too long.
        "seconds": training.longest_seconds,
        "memory": peak_bytes,
    }
    stages = {name: 1 if name in ("seconds", "memory") else training.stage for name in taken}
    limits = {name: Limit(limit=most * stages[name], spent=taken[name]) for name, most in run.budget.limits.items()}
    return Spending(limits=limits, ended_by=training.ended_by, kept_by=training.kept_by or None)

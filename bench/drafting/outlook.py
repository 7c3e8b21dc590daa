"""What the next command would take: seconds and memory of the drafted suite on this machine."""

from dataclasses import dataclass
from pathlib import Path

from bench.devices.hardware import requested
from bench.drafting.findings import SplitCounts
from bench.modeling.models import Model
from bench.planning.estimate import estimate_cost, speed
from bench.planning.plan import PlanOptions, plan

SUSTAINED = 0.5
"""Of the speed of a large matrix product, what a small model sustains with its short texts and all that is no product."""


@dataclass(frozen=True)
class Outlook:
    """Of all runs of a suite."""

    runs: int
    seconds: float
    memory_bytes: int
    """Of the largest training; what Python and its libraries hold comes on top."""


def outlook(suite: Path, test: SplitCounts, answers: int) -> Outlook:
    """Training, the probes, and the test set, which every row and the untouched base are asked.

    Args:
        answers: how often a decoder reads a test text: once for each answer that is ranked.
    """
    runs, rate = plan(PlanOptions(str(suite)), requested("auto")), speed()
    costs = [estimate_cost(run, rate) for run in runs]
    trained = sum((cost.operations or 0) + cost.probing for cost in costs)
    asked = test.examples * test.tokens[1]
    decodes = isinstance(runs[0].model, Model) and runs[0].model.family == "decoder"
    # Training every weight is three passes of a token through the model; asking is one.
    forward = max((cost.operations or 0) / (cost.tokens or 1) for cost in costs) / 3
    asking = forward * asked * (answers if decodes else 1) * (len(runs) + 1)
    return Outlook(len(runs), (trained + asking) / (rate * SUSTAINED), max(cost.memory.total for cost in costs))


def time_told(seconds: float) -> str:
    """`2 minutes`, rounded as roughly as it is known."""
    if seconds < 50:
        return f"{max(10, round(seconds, -1)):.0f} seconds"
    return (
        f"{round(seconds / 60):,} minute{'s' if round(seconds / 60) != 1 else ''}"
        if seconds < 5400
        else f"{seconds / 3600:.1f} hours"
    )

"""What the next command would take: seconds and memory of the drafted suite on this machine, as `--dry-run` counts them."""

from dataclasses import dataclass
from pathlib import Path

from bench.devices.hardware import requested
from bench.planning.estimate import estimate_cost, speed
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.totals import totals


@dataclass(frozen=True)
class Outlook:
    """Of all runs of a suite."""

    runs: int
    seconds: float | None
    """None where the model's tokenizer is not on this machine."""
    memory_bytes: int
    """Of the largest training; what Python and its libraries hold comes on top."""


def outlook(suite: Path) -> Outlook:
    """Of the suite's file."""
    runs, rate = plan(PlanOptions(str(suite)), requested("auto")), speed()
    costs = [estimate_cost(run, rate) for run in runs]
    total = totals(list(zip(runs, costs, strict=True)), (0.0, 0.0), rate)
    return Outlook(len(runs), total.seconds if total else None, max(cost.memory.total for cost in costs))

"""What a piece of work is planned to take, as far as placing it needs to know: how long, beside others, and how much memory."""

from dataclasses import dataclass, field
from functools import cache

from bench.devices.hardware import resolve
from bench.placing.forecast import UNKNOWN_RATE, Predictors
from bench.planning.estimate import CostEstimate, cost_key, estimate_cost
from bench.records.record import Record
from bench.records.trial import TrialRecord
from bench.running.assignments import Assignment
from bench.running.memory_ceiling import HEADROOM
from bench.runs.run import Run


def predictors_of(work: Assignment) -> Predictors:
    """By what its seconds hang on; a trial of the same run asks other items, so that it is another kind."""
    alike, who = _RunByCost.of(work.run), type(work).__name__
    return Predictors(f"{who} {alike.key}", f"{who} {work.run.model.name}", lambda: _flops(_cached_estimate(alike)))


def _flops(cost: CostEstimate) -> float:
    """Of training, asking tests and asking probes."""
    return float((cost.operations or 0) + cost.answering + cost.probing)


def seconds_taken(record: Record | TrialRecord) -> float | None:
    """Of training and asking, as far as this run did it itself; None of one that did not come to its end."""
    cost = record.cost
    if record.status != "ok" or cost is None or cost.train_seconds is None or cost.eval_seconds is None:
        return None
    return cost.train_seconds - (cost.others_seconds or 0.0) + cost.eval_seconds


def bytes_held(run: Run, devices: int = 1) -> int:
    """Bytes on its device, at most; on each, where several share the model out by FSDP2."""
    memory = _cached_estimate(_RunByCost.of(run)).memory
    if devices > 1:  # where its base is asked, it is shared out as well, and has no gradients
        return round(HEADROOM * memory.shared(devices, resolve(run.precision) == "bf16"))
    # The base is asked before, in its reference precision.
    base = run.model.reference_bits // 8 * memory.parameters
    return round(HEADROOM * max(memory.total, base))


@dataclass(frozen=True)
class _RunByCost:
    """A run, by what its cost hangs on."""

    key: str
    run: Run = field(compare=False)

    @classmethod
    def of(cls, run: Run) -> "_RunByCost":
        return cls(cost_key(run), run)


@cache
def _cached_estimate(by_cost: _RunByCost) -> CostEstimate:
    return estimate_cost(by_cost.run, UNKNOWN_RATE)

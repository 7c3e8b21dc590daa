"""What a plan would cost, before anything is trained: tokens by encoding, FLOPs by formula, seconds by this machine's speed,
memory by the model's shape."""

import time
from dataclasses import dataclass, replace

import torch

from bench.errors import BudgetError
from bench.hashing import digest
from bench.modeling import flops
from bench.modeling.shared_beginnings import shares_beginnings
from bench.planning import asking_cost
from bench.running import curriculum
from bench.running.memory_ceiling import Fit, fit
from bench.running.sizes import Memory
from bench.runs.run import Run
from bench.specs.probe_every import amount
from bench.strategies.base import Hyperparameters
from bench.tasks.encoding import Encoding
from bench.tokens.micro_batches import micro_batches
from bench.tokens.token_counts import TokenCounts
from bench.training.course import Listed
from bench.training.state import TrainingState

COSTLESS_PARTS = {"seed", "seeds", "search"}
"""Parts of a run's question on which its cost does not hang."""
COSTLESS_VALUES = {"learning_rate", "weight_decay", "warmup", "schedule", "max_grad_norm", "label_smoothing"}
"""Hyper-parameters of which the same is true."""


@dataclass(frozen=True)
class CostEstimate:
    """Examples, tokens and FLOPs of a training, all of its stages together, None where the model's tokenizer is not on this
    machine; and its memory."""

    examples: int | None
    tokens: int | None
    operations: int | None
    memory: Memory
    answering: float = 0
    """FLOPs of asking tests, and validation items at each point of a curve, by the model's parameters and the tokens that are
    read and written."""
    probing: float = 0
    """The same of the probes, at the end and at each point of a curve."""
    steps: int = 0
    """Of the last stage."""
    remark: str | None = None
    """A sentence on why the budget does not hold the run, or on what its memory ceiling makes of it."""


def speed(seconds: float = 0.3) -> float:
    """Sustained FLOP/s of a matrix product on the default device, fp32."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # SmolLM2's shapes: 576 hidden numbers, and 1,536 in the feed-forward part.
    a, b = torch.randn(512, 576, device=device), torch.randn(576, 1536, device=device)
    # One is not counted: the first also starts threads, or loads a GPU's kernels.
    torch.mm(a, b)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        # A GPU returns before it is done; `item` waits.
        torch.mm(a, b).sum().item()
        done += 1
    return done * 2 * 512 * 576 * 1536 / (time.perf_counter() - started)


def cost_key(run: Run) -> str:
    """Equal for runs that cost the same: of a search's trials, and of a strategy's seeds, one stands for all."""
    question = {name: value for name, value in run.inputs.items() if name not in COSTLESS_PARTS}
    chosen = {name: value for name, value in question["hyperparameters"].items() if name not in COSTLESS_VALUES}
    return digest(question | {"hyperparameters": chosen})


def estimate_cost(run: Run, rate: float) -> CostEstimate:
    """From the run's real curricula, where the tokenizer is at hand, and the model's shape without weights.

    Args:
        rate: FLOP/s, by which seconds of a budget are planned as FLOPs.
    """
    if run.unfit or run.model.checkpoint is None:
        return CostEstimate(0, 0, 0, Memory(0, 0, 0, 0, 0, 0))
    # As the run is by itself, before a ceiling makes anything smaller.
    plain = fit(replace(run, budget=replace(run.budget, memory=None)), run.model.longest(run.max_length))
    if not run.model.at_hand:
        if not run.strategy.trains:
            return CostEstimate(0, 0, None, plain.memory)  # what it is asked can't be counted
        each = run.budget.examples
        return CostEstimate(None if each is None else each * len(run.stages), None, None, plain.memory)
    answering = 2 * plain.memory.parameters * asking_cost.tests(run).tokens
    if not run.strategy.trains:
        return CostEstimate(0, 0, 0, plain.memory, answering)
    try:
        return _training_cost(run, plain, rate, answering)
    except BudgetError as error:
        return CostEstimate(0, 0, 0, plain.memory, remark=str(error))


def _training_cost(run: Run, plain: Fit, rate: float, answering: float) -> CostEstimate:
    operations, budget = flops.count_flops(plain.adapted), run.budget
    if budget.seconds is not None:
        timed = round(rate * budget.seconds)
        budget = replace(budget, seconds=None, flops=min(timed, budget.flops or timed))
    encoding, timeless = Encoding(run.checkpoint, run.max_length), replace(run, budget=budget)
    stages = [curriculum.build_curriculum(timeless, encoding, stage, operations) for stage in run.stages]
    steps = [step for stage in stages for step in stage.steps]
    lengths = [encoded.fed for step in steps for encoded in step]
    fitted = fit(run, Listed(steps).longest) if run.budget.memory is not None else plain
    # Cut into the passes of one process, as the training cuts them.
    hyperparameters = run.strategy.hyperparameters
    assert isinstance(hyperparameters, Hyperparameters)
    # The shape has no weights that could be seen to be quantised.
    sharing = run.strategy.bits == 32 and not hyperparameters.compile and shares_beginnings(fitted.adapted)
    passes = (part.work for step in steps for part in micro_batches(step, fitted.tokens, 0, 1, sharing))
    points, each_token = sum(_points(run, len(stage.steps)) for stage in stages), 2 * plain.memory.parameters
    on_the_way = points * asking_cost.validation(run).tokens if points else 0
    return CostEstimate(
        sum(stage.examples for stage in stages),
        sum(lengths),
        flops.count_flops(fitted.adapted).computed(sum(passes, TokenCounts())),
        fitted.memory,
        answering + each_token * on_the_way,
        each_token * asking_cost.probes(run).tokens * (1 + points),
        len(stages[-1].steps),
        f"keeps {run.budget.memory / 1e9:g} GB by {fitted}" if run.budget.memory and fitted.changed else None,
    )


def _points(run: Run, steps: int) -> int:
    """Of the run's curve in a stage of so many steps."""
    if run.probe_every is None:
        return 0
    every = amount(run.probe_every)
    return sum(TrainingState(step=step, steps=steps).reached(every) for step in range(1, steps + 1))

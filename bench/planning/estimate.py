"""What a plan would cost, before anything is trained: tokens by encoding, FLOPs by formula, seconds by this machine's speed,
memory by the model's shape."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich import box
from rich.console import Console
from rich.table import Table

from bench.errors import BudgetError
from bench.modeling import flops
from bench.modeling.models import Model
from bench.planning.probe_cost import probe_tokens
from bench.records import store
from bench.running import curriculum
from bench.running.ceiling import Fit, fit
from bench.running.run import Run
from bench.running.sizes import Memory
from bench.running.trial import Trial
from bench.tasks import splits
from bench.tasks.encoding import Encoding
from bench.tokens.batches import micro_batches
from bench.tokens.work import Work, padded_work


@dataclass(frozen=True)
class CostEstimate:
    """Examples, tokens and FLOPs of a training, None where the model's tokenizer is not on this machine; and its memory."""

    examples: int | None
    tokens: int | None
    operations: int | None
    memory: Memory
    probing: int = 0
    """FLOPs of asking the probes once, by the model's parameters and the probes' tokens."""
    told: str | None = None
    """A sentence on why the budget does not hold the run, or on what its memory ceiling makes of it."""


def speed(seconds: float = 0.3) -> float:
    """Sustained FLOP/s of a matrix product on the default device, fp32."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    a, b = torch.randn(512, 576, device=device), torch.randn(576, 1536, device=device)
    torch.mm(a, b)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        torch.mm(a, b).sum().item()
        done += 1
    return done * 2 * 512 * 576 * 1536 / (time.perf_counter() - started)


def estimate_cost(run: Run, rate: float) -> CostEstimate:
    """From the run's real curriculum, where the tokenizer is at hand, and the model's shape without weights.

    Args:
        rate: FLOP/s, by which seconds of a budget are planned as FLOPs.
    """
    if run.unfit or not isinstance(run.model, Model):
        return CostEstimate(0, 0, 0, Memory(0, 0, 0, 0, 0, 0))
    plain = fit(replace(run, budget=replace(run.budget, memory=None)), run.max_length)
    if not run.strategy.trains:
        return CostEstimate(0, 0, 0, plain.memory)
    if not run.model.at_hand:
        return CostEstimate(run.budget.examples, None, None, plain.memory)
    try:
        return _trained(run, plain, rate)
    except BudgetError as error:
        return CostEstimate(0, 0, 0, plain.memory, told=str(error))


def _trained(run: Run, plain: Fit, rate: float) -> CostEstimate:
    operations, budget = flops.count_flops(plain.adapted), run.budget
    if budget.seconds is not None:
        timed = round(rate * budget.seconds)
        budget = replace(budget, seconds=None, flops=min(timed, budget.flops or timed))
    encoding = Encoding(run.checkpoint, run.max_length)
    planned = curriculum.build_curriculum(replace(run, budget=budget), encoding, operations=operations)
    lengths = [encoded.fed for step in planned.steps for encoded in step]
    fitted = fit(run, max(lengths)) if run.budget.memory is not None else plain
    # Cut into the passes of one process, as the training cuts them.
    passes = (padded_work(part) for step in planned.steps for part in micro_batches(step, fitted.tokens, 0, 1))
    return CostEstimate(
        planned.examples,
        sum(lengths),
        flops.count_flops(fitted.adapted).computed(sum(passes, Work())),
        fitted.memory,
        2 * plain.memory.parameters * probe_tokens(run),
        f"keeps {run.budget.memory / 1e9:g} GB by {fitted}" if run.budget.memory and fitted.changed else None,
    )


def print_plan(runs: Sequence[Run], out: Path, waiting: Sequence[Run], trials: Sequence[Trial] = ()) -> None:
    """Print the plan; runs that are not `waiting` are done already, and cost nothing. `trials` come before the runs."""
    table = Table(
        title=f"{len(runs)} runs of suite {runs[0].suite}", caption="seconds: training alone, at this machine's measured speed"
    )
    for column in ("run", "model", "task", "strategy", "seed"):
        table.add_column(column, overflow="fold")
    for column in ("examples", "tokens", "TFLOP", "seconds", "test", "probe items", "state"):
        table.add_column(column, justify="right")
    rate, total, probing, still = speed(), 0.0, 0.0, {run.id for run in waiting}
    costs = [estimate_cost(run, rate) for run in runs]
    for run, cost in zip(runs, costs, strict=True):
        record = store.find_record(out, run.id)
        state = "skipped" if run.unfit else "to do" if run.id in still or record is None else record.status
        seconds = None if cost.operations is None else cost.operations / rate
        total += (seconds or 0) if state == "to do" else 0
        probing += cost.probing / rate if state == "to do" else 0
        test = len(splits.load_splits(run.task).test[: run.test_items])
        numbers = (
            "–" if cost.examples is None else cost.examples,
            "–" if cost.tokens is None else cost.tokens,
            "–" if cost.operations is None else f"{cost.operations / 1e12:.2f}",
            "–" if seconds is None else f"{seconds:.0f}",
            test,
        )
        probes = sum(limit for _, limit in run.probes)
        table.add_row(
            run.id, run.model.name, run.task.name, run.strategy.name, run.told_seed, *map(str, numbers), str(probes), state
        )
    console = Console()
    if not console.is_terminal:  # a log has no width
        console.width = max(console.width, 132)
    console.print(table)
    _show_memory(runs, costs, console)
    if trials:
        console.print(_of_trials(trials, rate), highlight=False)
    for told in dict.fromkeys(
        f"{run.strategy.name} / {run.task.name}: {c.told}" for run, c in zip(runs, costs, strict=True) if c.told
    ):
        console.print(told, highlight=False)
    for model in {run.model.name: run.model for run in runs}.values():
        if not model.at_hand:
            console.print(f"{model.name}: {model.origin}; tokens, FLOPs and seconds (–) need its tokenizer", highlight=False)
    if all(cost.operations is not None for cost in costs):
        console.print(f"training still to do: about {total:.0f} s on this machine, besides tests")
        console.print(f"asking their probes at the end: about {probing:.0f} s; the bases are asked once besides")


def _of_trials(trials: Sequence[Trial], rate: float) -> str:
    """How many trials are still to be done, and what training them takes, if none is pruned."""
    by_strategy = Counter(trial.run.strategy.name for trial in trials)
    named = ", ".join(f"{name} {count}" for name, count in by_strategy.items())
    # Trials of one strategy differ in what hardly changes their cost, such as a rate: the first stands for all.
    first = {(trial.run.model.name, trial.run.task.name, trial.run.strategy.name): trial for trial in reversed(trials)}
    costs = {place: estimate_cost(trial.run, rate).operations for place, trial in first.items()}
    told = f"tuning before that: {len(trials)} trials to do ({named})"
    if any(cost is None for cost in costs.values()):
        return told
    taken = sum(costs[trial.run.model.name, trial.run.task.name, trial.run.strategy.name] or 0 for trial in trials)
    return f"{told}, about {taken / rate:.0f} s of training, besides validation"


def _show_memory(runs: Sequence[Run], costs: Sequence[CostEstimate], console: Console) -> None:
    """One row per model and strategy, for the task that needs most."""
    table = Table(
        title="memory on each device in GB (10^9 bytes)",
        caption="loaded: quantised layers, all else in fp32; act.: activations by formula. The base is scored before, in fp32.",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in ("model", "strategy"):
        table.add_column(column, overflow="fold")
    for column in ("trained", "of", "fp32", "fp16", "loaded", "grad.", "Adam", "act.", "total"):
        table.add_column(column, justify="right", no_wrap=True)
    for names, memory in _largest(runs, costs).items():
        parts = (4 * memory.parameters, 2 * memory.parameters, memory.weights, memory.gradients, memory.optimizer)
        held = [f"{part / 1e9:.2f}" for part in (*parts, memory.activations, memory.total)]
        table.add_row(*names, _count(memory.trainable), _count(memory.parameters), *held)
    console.print(table)


def _largest(runs: Sequence[Run], costs: Sequence[CostEstimate]) -> dict[tuple[str, str], Memory]:
    rows: dict[tuple[str, str], Memory] = {}
    for run, cost in zip(runs, costs, strict=True):
        name = (run.model.name, run.strategy.name)
        rows[name] = max(rows.get(name, cost.memory), cost.memory, key=lambda memory: memory.total)
    return rows


def _count(parameters: int) -> str:
    """Three digits and their unit, as `8.39 M`."""
    size, unit = (parameters / 1e9, "B") if parameters >= 1e9 else (parameters / 1e6, "M")
    return f"{size:.3g} {unit}" if parameters else "0"

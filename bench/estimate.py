"""What a plan would cost, before anything is trained: tokens by encoding, FLOPs by formula, seconds by this machine's speed."""

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from transformers import AutoModelForCausalLM

from bench import curriculum, data, flops, records, tasktypes
from bench.encoding import Encoding
from bench.plan import Run


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


def training(run: Run) -> tuple[int, int]:
    """(tokens, FLOPs) of a run's training, from its real curriculum and the model's shape without weights."""
    if not run.strategy.trains:
        return 0, 0
    steps = curriculum.build(run, Encoding(run.model, run.max_length))
    decoder = run.model.family == "decoder"
    with torch.device("meta"):
        if decoder:
            model = AutoModelForCausalLM.from_config(run.model.config, trust_remote_code=run.model.trust_remote_code)
        else:
            run.model.config.num_labels = steps.outputs
            model = tasktypes.load(run.task).auto_class.from_config(run.model.config)
        adapted = run.strategy.adapt(model, run.model.family)
    examples = [encoded for step in steps.steps for encoded in step]
    tokens = sum(len(encoded.ids) - decoder for encoded in examples)
    return tokens, flops.count(adapted).training(tokens, sum(encoded.targets for encoded in examples))


def show(runs: Sequence[Run], out: Path) -> None:
    """Print the plan; runs that have a record already cost nothing."""
    table = Table(
        title=f"{len(runs)} runs of suite {runs[0].suite}", caption="seconds: training alone, at this machine's measured speed"
    )
    for column in ("run", "model", "task", "strategy", "seed"):
        table.add_column(column, overflow="fold")
    for column in ("examples", "tokens", "TFLOP", "seconds", "test", "probe items", "state"):
        table.add_column(column, justify="right")
    rate, total = speed(), 0.0
    for run in runs:
        tokens, operations = training(run)
        record = records.find(out, run.id)
        state = record.status if record else "to do"
        seconds = operations / rate
        total += seconds if state not in ("ok", "skipped") else 0
        test = len(data.load(run.task).test[: run.test_items])
        numbers = (
            run.budget.examples if run.strategy.trains else 0,
            tokens,
            f"{operations / 1e12:.2f}",
            f"{seconds:.0f}",
            test,
        )
        probes = sum(limit for _, limit in run.probes)
        table.add_row(
            run.id, run.model.name, run.task.name, run.strategy.name, str(run.seed), *map(str, numbers), str(probes), state
        )
    console = Console()
    console.print(table)
    console.print(f"training still to do: about {total:.0f} s on this machine, besides tests and probes")

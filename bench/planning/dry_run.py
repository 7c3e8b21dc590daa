"""`--dry-run`: the plan as a table, what it would cost, and what it would hold in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.devices.launched import Parallelism
from bench.groups import groups_by
from bench.planning import estimate
from bench.planning.estimate import CostEstimate, estimate_cost
from bench.planning.host_memory import host_memory
from bench.planning.totals import plan_sentences
from bench.records import store
from bench.running.sizes import Memory
from bench.running.trial import Trial
from bench.runs.run import Run
from bench.runs.seed_rows import seed_rows
from bench.tasks import splits

SEEDS_SHOWN = 16
"""So many seeds of one row of a suite have a line each."""
PLAN_HEADERS = {
    "run": "run_id",
    "model": "model",
    "task": "task",
    "strategy": "strategy",
    "seed": "planned_seed",
    "examples": "planned_examples",
    "tokens": "planned_tokens",
    "TFLOP": "planned_flops",
    "seconds": "planned_seconds",
    "test": "planned_test",
    "probe items": "planned_probe_items",
    "state": "planned_state",
}
"""Of the plan: header -> its term in reports/definitions.yaml, which no run needs and a test asks for."""
MEMORY_HEADERS = {
    "model": "model",
    "strategy": "strategy",
    "trained": "memory_trained",
    "of": "memory_of",
    "fp32": "memory_fp32",
    "fp16": "memory_fp16",
    "loaded": "memory_loaded",
    "grad.": "memory_gradients",
    "Adam": "memory_adam",
    "act.": "memory_activations",
    "total": "memory_total",
    "base": "memory_base",
}
"""Of the memory that it would hold, likewise."""
Alike = tuple[list[Run], CostEstimate]
"""Runs of one row of a suite, a seed each, and the cost of one of them."""


def print_plan(
    runs: Sequence[Run], out: Path, waiting: Sequence[Run], trials: Sequence[Trial] = (), sharing: Parallelism = "none"
) -> None:
    """Print the plan; runs that are not `waiting` are done already, and cost nothing. `trials` come before the runs."""
    rate, still = estimate.speed(), {run.id for run in waiting}
    alike = _rows_with_costs(runs, rate)
    planned = [(run, cost) for group, cost in alike for run in group]
    states = {run.id: _run_state(run, out, still) for run in runs}
    console = Console()
    if not console.is_terminal:  # a log has no width
        console.width = max(console.width, 132)
    console.print(_table_of_runs(alike, states, rate))
    _show_memory(planned, console)
    sentences = [f"{run.strategy.name} / {run.task.name}: {cost.remark}" for run, cost in planned if cost.remark]
    for model in {run.model.name: run.model for run in runs}.values():
        if not model.at_hand:
            sentences.append(f"{model.name}: {model.origin}; tokens, FLOPs and seconds (–) need its tokenizer")
    sentences += host_memory(runs, sharing)
    sentences += plan_sentences([(run, cost) for run, cost in planned if states[run.id] == "to do"], trials, rate)
    for sentence in dict.fromkeys(sentences):
        console.print(sentence, highlight=False)


def suites_told(runs: Sequence[Run]) -> str:
    """`suite sentiment`, or `suites sentiment, ner` where several were asked for together."""
    names = list(dict.fromkeys(run.suite for run in runs))
    return f"suite{'s' * (len(names) > 1)} {', '.join(names)}"


def _rows_with_costs(runs: Sequence[Run], rate: float) -> list[Alike]:
    """Runs that differ in nothing but their seed, with what each costs: seeds draw other examples of the same set, and the
    first stands for all."""
    # Rows that were planned apart may ask the same, as where a list names a suite twice.
    groups = groups_by(seed_rows(runs), lambda row: (row[0].suite, replace(row[0], seed=0, varied=None).id))
    return [([run for row in rows for run in row], estimate_cost(rows[0][0], rate)) for rows in groups.values()]


def _plan_rows(alike: Sequence[Alike], states: dict[str, str]) -> Iterator[tuple[str, str, Run, CostEstimate]]:
    """The rows of the table: id, seed, run and cost. Many seeds of one state are a single row: nobody reads thousands."""
    for group, cost in alike:
        for state in dict.fromkeys(states[run.id] for run in group):
            runs = [run for run in group if states[run.id] == state]
            if len(runs) > SEEDS_SHOWN:
                yield runs[0].id, f"{len(runs)}: {runs[0].told_seed} … {runs[-1].told_seed}", runs[0], cost
            else:
                yield from ((run.id, run.told_seed, run, cost) for run in runs)


def _run_state(run: Run, out: Path, still: set[str]) -> str:
    if run.unfit or run.id in still:
        return "skipped" if run.unfit else "to do"
    record = store.find_record(out, run.id)
    return record.status if record else "to do"


def _table_of_runs(alike: Sequence[Alike], states: dict[str, str], rate: float) -> Table:
    table = Table(
        title=f"{len(states)} runs of {suites_told([run for group, _ in alike for run in group])}",
        caption="seconds: training alone, at this machine's measured speed",
    )
    headers = list(PLAN_HEADERS)
    for header in headers[:5]:  # names
        table.add_column(header, overflow="fold")
    for header in headers[5:]:
        table.add_column(header, justify="right")
    for name, seed, run, cost in _plan_rows(alike, states):
        work = cost.operations
        numbers = (
            "–" if cost.examples is None else cost.examples,
            "–" if cost.tokens is None else cost.tokens,
            "–" if work is None else f"{work / 1e12:.2f}",
            "–" if work is None else f"{work / rate:.0f}",
            len(splits.load_splits(run.task).test[: run.test_items]),
            sum(limit for _, limit in run.probes),
        )
        names = (name, run.model.name, run.task.name, run.strategy.name, seed)
        table.add_row(*names, *map(str, numbers), states[run.id])
    return table


def _show_memory(planned: Sequence[tuple[Run, CostEstimate]], console: Console) -> None:
    """One row per model and strategy, for the task that needs most; a model behind an API holds nothing here."""
    rows = _largest(planned)
    bits = {run.model.name: run.model.reference_bits for run, _ in planned}
    if not rows:
        return
    table = Table(
        title="memory on each device in GB (10^9 bytes)",
        caption="loaded: quantised layers, all else in fp32; act.: activations by formula. base: asked before training, in its "
        "reference precision.",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    headers = list(MEMORY_HEADERS)
    for header in headers[:2]:  # names
        table.add_column(header, overflow="fold")
    for header in headers[2:]:
        table.add_column(header, justify="right", no_wrap=True)
    for names, memory in rows.items():
        parts = (4 * memory.parameters, 2 * memory.parameters, memory.weights, memory.gradients, memory.optimizer)
        base = memory.parameters * bits[names[0]] // 8
        gigabytes = [f"{part / 1e9:.2f}" for part in (*parts, memory.activations, memory.total, base)]
        table.add_row(*names, _parameters_text(memory.trainable), _parameters_text(memory.parameters), *gigabytes)
    console.print(table)


def _largest(planned: Sequence[tuple[Run, CostEstimate]]) -> dict[tuple[str, str], Memory]:
    rows: dict[tuple[str, str], Memory] = {}
    for run, cost in planned:
        if not cost.memory.parameters:
            continue
        name = (run.model.name, run.strategy.name)
        rows[name] = max(rows.get(name, cost.memory), cost.memory, key=lambda memory: memory.total)
    return rows


def _parameters_text(parameters: int) -> str:
    """Three digits and their unit, as `8.39 M`."""
    size, unit = (parameters / 1e9, "B") if parameters >= 1e9 else (parameters / 1e6, "M")
    return f"{size:.3g} {unit}" if parameters else "0"

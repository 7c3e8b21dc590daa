"""`--dry-run`: the plan as a table, what it would cost, and what it would hold in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.modeling.models import Model
from bench.planning import estimate
from bench.planning.estimate import CostEstimate, estimate_cost
from bench.planning.totals import told
from bench.records import store
from bench.running.run import Run
from bench.running.sizes import Memory
from bench.running.trial import Trial
from bench.tasks import splits

SEEDS_SHOWN = 16
"""So many seeds of one row of a suite have a line each."""


def print_plan(runs: Sequence[Run], out: Path, waiting: Sequence[Run], trials: Sequence[Trial] = ()) -> None:
    """Print the plan; runs that are not `waiting` are done already, and cost nothing. `trials` come before the runs."""
    rate, still = estimate.speed(), {run.id for run in waiting}
    planned = _estimated(runs, rate)
    states = {run.id: _state(run, out, still) for run in runs}
    console = Console()
    if not console.is_terminal:  # a log has no width
        console.width = max(console.width, 132)
    console.print(_table(planned, states, rate))
    _show_memory(planned, console)
    sentences = [f"{run.strategy.name} / {run.task.name}: {cost.told}" for run, cost in planned if cost.told]
    for model in {run.model.name: run.model for run in runs}.values():
        if not model.at_hand:
            sentences.append(f"{model.name}: {model.origin}; tokens, FLOPs and seconds (–) need its tokenizer")
    sentences += told([(run, cost) for run, cost in planned if states[run.id] == "to do"], trials, rate)
    for sentence in dict.fromkeys(sentences):
        console.print(sentence, highlight=False)


def _estimated(runs: Sequence[Run], rate: float) -> list[tuple[Run, CostEstimate]]:
    """Each with its cost. Seeds draw other examples of the same set: the first stands for all."""
    costs: dict[str, CostEstimate] = {}
    planned = []
    for run in runs:
        like = _like(run)
        if like not in costs:
            costs[like] = estimate_cost(run, rate)
        planned.append((run, costs[like]))
    return planned


def _like(run: Run) -> str:
    """Equal for runs that differ in nothing but their seed."""
    return f"{run.suite} {replace(run, seed=0, varied=None).id}"


def _shown(planned: Sequence[tuple[Run, CostEstimate]], states: dict[str, str]) -> Iterator[tuple[str, str, Run, CostEstimate]]:
    """The rows of the table: id, seed, run and cost. Many seeds of one state are a single row: nobody reads thousands."""
    groups: dict[tuple[str, str], list[tuple[Run, CostEstimate]]] = {}
    for run, cost in planned:
        groups.setdefault((_like(run), states[run.id]), []).append((run, cost))
    for group in groups.values():
        (first, cost), (last, _) = group[0], group[-1]
        if len(group) > SEEDS_SHOWN:
            yield first.id, f"{len(group)}: {first.told_seed} … {last.told_seed}", first, cost
        else:
            yield from ((run.id, run.told_seed, run, cost) for run, cost in group)


def _state(run: Run, out: Path, still: set[str]) -> str:
    record = store.find_record(out, run.id)
    return "skipped" if run.unfit else "to do" if run.id in still or record is None else record.status


def _table(planned: Sequence[tuple[Run, CostEstimate]], states: dict[str, str], rate: float) -> Table:
    table = Table(
        title=f"{len(planned)} runs of suite {planned[0][0].suite}",
        caption="seconds: training alone, at this machine's measured speed",
    )
    for column in ("run", "model", "task", "strategy", "seed"):
        table.add_column(column, overflow="fold")
    for column in ("examples", "tokens", "TFLOP", "seconds", "test", "probe items", "state"):
        table.add_column(column, justify="right")
    for name, seed, run, cost in _shown(planned, states):
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
    bits = {run.model.name: run.model.reference_bits for run, _ in planned if isinstance(run.model, Model)}
    if not rows:
        return
    table = Table(
        title="memory on each device in GB (10^9 bytes)",
        caption="loaded: quantised layers, all else in fp32; act.: activations by formula. base: asked before training, in its "
        "reference precision.",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in ("model", "strategy"):
        table.add_column(column, overflow="fold")
    for column in ("trained", "of", "fp32", "fp16", "loaded", "grad.", "Adam", "act.", "total", "base"):
        table.add_column(column, justify="right", no_wrap=True)
    for names, memory in rows.items():
        parts = (4 * memory.parameters, 2 * memory.parameters, memory.weights, memory.gradients, memory.optimizer)
        base = memory.parameters * bits.get(names[0], 0) // 8
        held = [f"{part / 1e9:.2f}" for part in (*parts, memory.activations, memory.total, base)]
        table.add_row(*names, _count(memory.trainable), _count(memory.parameters), *held)
    console.print(table)


def _largest(planned: Sequence[tuple[Run, CostEstimate]]) -> dict[tuple[str, str], Memory]:
    rows: dict[tuple[str, str], Memory] = {}
    for run, cost in planned:
        if not cost.memory.parameters:
            continue
        name = (run.model.name, run.strategy.name)
        rows[name] = max(rows.get(name, cost.memory), cost.memory, key=lambda memory: memory.total)
    return rows


def _count(parameters: int) -> str:
    """Three digits and their unit, as `8.39 M`."""
    size, unit = (parameters / 1e9, "B") if parameters >= 1e9 else (parameters / 1e6, "M")
    return f"{size:.3g} {unit}" if parameters else "0"

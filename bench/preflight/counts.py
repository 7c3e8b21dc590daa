"""Which runs are larger than a plan can hold: their examples, or the solved ones before a question, would fill the memory."""

from collections.abc import Iterable

from bench.devices.container import total_memory
from bench.errors import UserError
from bench.preflight.shapes import with_ends
from bench.running.budget_account import counted_limits
from bench.runs.run import Run
from bench.tasks import splits

EXAMPLE_BYTES = 300
"""Of memory that a planned example takes at least: a list, a tuple and a dictionary, beside its tokens."""


def check_counts(runs: Iterable[Run]) -> None:
    """By counts that are known before any text is cut into tokens.

    Raises:
        UserError: a budget or a number of shots is too large; nothing has started by then.
    """
    room = total_memory()
    for run in runs:
        if run.unfit:
            continue
        least = _least_examples(run)
        if least * EXAMPLE_BYTES > room:
            takes = f"whose plan takes {least * EXAMPLE_BYTES / 1e9:,.0f} GB, and this machine has {room / 1e9:,.0f}"
            raise UserError(f"budget '{run.budget}' is of at least {least:,} examples, {takes}; give a smaller one")
        if run.strategy.wording.shots:
            for each in with_ends(run):
                _check_shots(each)


def _least_examples(run: Run) -> int:
    """What the limits that count examples or tokens hold at least; no example has more than `max_length` tokens in a window."""
    most = counted_limits(run.budget, run.batch)
    counts = [most[name] for name in ("examples", "steps") if name in most]
    if "tokens" in most:
        counts.append(most["tokens"] // run.max_length)
    # FLOPs and seconds hang on the model, and may end the training before.
    return min(counts) if run.strategy.trains and counts and not {"flops", "seconds"} & set(run.budget.limits) else 0


def _check_shots(run: Run) -> None:
    name, shots = run.strategy.name, run.strategy.wording.shots
    fewer = f"; show fewer by --set {name}.shots=K" + (", which is not searched then" if run.search else "")
    there = len(splits.load_training(run.task).train)
    if shots > there:
        fault = f"shots={shots}, and task '{run.task.name}' has {there:,} training examples"
        raise UserError(f"strategy '{name}': {fault}{fewer}")
    # An encoder embeds them one by one.
    positions = run.model.positions if run.model.family == "decoder" else None
    # Of a solved example at least its text and its answer are a token each.
    if positions and 2 * shots > positions:
        fault = f"shots={shots} do not stand in one prompt of model '{run.model.name}', which reads {positions:,} tokens"
        raise UserError(f"strategy '{name}': {fault}{fewer}")

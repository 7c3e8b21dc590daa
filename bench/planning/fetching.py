"""All that a suite's runs read, fetched now: afterwards none of them needs a network."""

from collections.abc import Iterator

from bench.data import sources
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.preflight.data import check_data
from bench.runs.run import Run


def fetch_all(suite: str, model: str | None = None) -> Iterator[str]:
    """Fetch it, and tell of each model, task and probe when it is there.

    Raises:
        UserError: something cannot be fetched, or is not what it should be.
    """
    known_lines = set[str]()
    for run in plan(PlanOptions(suite, model), "auto"):
        check_data([run])  # reads every file, archives inside archives too
        if run.model.checkpoint:
            _ = run.model.checkpoint.tokenizer
        for line in _lines_on_what_is_read(run):
            if line not in known_lines:
                known_lines.add(line)
                yield line


def _lines_on_what_is_read(run: Run) -> Iterator[str]:
    """What a run reads, a line each."""
    if run.model.checkpoint:
        yield f"model {run.model.name}: {run.model.checkpoint.folder}"
    for task in run.tested:
        yield f"task {task.name}"
    for probe, _ in run.probes:
        yield f"probe {probe.name}"
    if run.strategy.rehearsal:
        yield f"rehearsal: {sources.describe(run.strategy.rehearsal)}"

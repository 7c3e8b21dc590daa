"""All data that runs need is read before the first of them starts, so that a fault in any of it is told by then."""

from collections.abc import Sequence

from bench.data import sources
from bench.preflight.tokenizers import check_tokenizers
from bench.probes import probe_class
from bench.runs.run import Run
from bench.tasks import splits


def check_data(runs: Sequence[Run]) -> None:
    """Read it, and see whether each model's tokenizer knows its words.

    Raises:
        UserError: a file, column, label or split is wrong, or a model's files cannot be fetched, or it can't read the texts.
    """
    for run in runs:
        if run.model.checkpoint:
            _ = run.model.checkpoint.folder
        for task in run.tested:
            splits.load_splits(task)
        for spec, _ in run.probes:
            probe_class(spec).check(spec)
        if run.strategy.rehearsal:
            sources.rows(run.strategy.rehearsal)
    check_tokenizers(runs)

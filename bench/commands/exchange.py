"""Results of other programs, put beside our own."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.options import DEFAULT_OUT, Out

if TYPE_CHECKING:
    from reports.exchange.importing import Imported, RecordWithItems

IMPORT = typer.Typer(no_args_is_help=True, help="Read results of other programs into records like ours.")


@IMPORT.command("peft-method-comparison")
def import_peft(
    folder: Annotated[Path, typer.Argument(help="PEFT's method_comparison/MetaMathQA/results, or one file of it.")],
    out: Out = DEFAULT_OUT,
    suite: Annotated[str | None, typer.Option(help="Name of the suite in whose table they stand.")] = None,
) -> int:
    """PEFT's comparison of its methods on MetaMathQA and GSM8K: a row for each result file."""
    from reports.exchange import importing, peft_results

    def read(path: Path) -> "Iterator[RecordWithItems]":
        yield peft_results.read_peft_result(path, suite or peft_results.NAME), None

    paths = importing.files_in(folder, "*.json", "the folder method_comparison/MetaMathQA/results of PEFT's repository")
    return _told(importing.import_files(paths, read, out))


@IMPORT.command("lm-eval")
def import_lm_eval(
    place: Annotated[Path, typer.Argument(help="A results_*.json, or a folder with such files, at any depth.")],
    out: Out = DEFAULT_OUT,
    suite: Annotated[str | None, typer.Option(help="Name of the suite in whose table they stand.")] = None,
    model: Annotated[str | None, typer.Option(help="What the model is called there; as in the file without it.")] = None,
    strategy: Annotated[str | None, typer.Option(help="How the model was adapted; `lm-eval N-shot` without it.")] = None,
) -> int:
    """Results of lm-evaluation-harness: a row for each task, with its answers where its samples lie beside."""
    from reports.exchange import importing, lm_eval_results

    named = lm_eval_results.Named(suite, model, strategy)
    paths = importing.files_in(place, "results_*.json", "the folder that --output_path named", deep=True)
    return _told(importing.import_files(paths, lambda path: lm_eval_results.read_lm_eval(path, named), out))


def _told(imported: "Imported") -> int:
    """What went in, on standard output, and what did not, on standard error; exit status 1 where a file was left out."""
    print(imported.summary)
    for fault in imported.faults:
        print(f"error: {fault}", file=sys.stderr)
    return 1 if imported.faults else 0

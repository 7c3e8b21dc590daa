"""Results of other programs, put beside our own, and ours as other programs read them."""

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.options import DEFAULT_OUT, AllowUnequal, Out
from bench.commands.results import comparable_rows, records_of
from bench.folders import write_text

if TYPE_CHECKING:
    from reports.exchange.importing import Imported, RecordWithItems
    from reports.rows.row import Row

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
        # PEFT's files hold no answers, and so no table of them.
        yield peft_results.read_peft_result(path, suite or peft_results.NAME), None

    paths = importing.files_in(folder, "*.json", "the folder method_comparison/MetaMathQA/results of PEFT's repository")
    return _print_imported(importing.import_files(paths, read, out))


@IMPORT.command("lm-eval")
def import_lm_eval(
    place: Annotated[Path, typer.Argument(help="A file of results, or a folder with such files, at any depth.")],
    out: Out = DEFAULT_OUT,
    suite: Annotated[str | None, typer.Option(help="Name of the suite in whose table they stand.")] = None,
    model: Annotated[str | None, typer.Option(help="What the model is called there; as in the file without it.")] = None,
    strategy: Annotated[str | None, typer.Option(help="How the model was adapted; `lm-eval N-shot` without it.")] = None,
) -> int:
    """Results of lm-evaluation-harness: a row for each task, with its answers where its samples lie beside."""
    from reports.exchange import importing, lm_eval_files, lm_eval_results
    from reports.unseen_characters import printable

    named, left_out = lm_eval_results.Named(suite, model, strategy), list[str]()
    paths = lm_eval_files.results_files(place)
    imported = importing.import_files(paths, lambda path: lm_eval_results.read_lm_eval(path, named, left_out), out)
    # They quote somebody else's file, whose control characters a terminal would obey.
    for sentence in left_out:
        print(printable(sentence), file=sys.stderr)
    return _print_imported(imported)


def _print_imported(imported: "Imported") -> int:
    """What went in, on standard output, and what did not, on standard error; exit status 1 where a file was left out."""
    from reports.unseen_characters import printable

    print(imported.summary)
    for fault in imported.faults:
        print(f"error: {printable(fault)}", file=sys.stderr)
    return 1 if imported.faults else 0


EXPORT = typer.Typer(no_args_is_help=True, help="Write results as other programs read them.")
Suite = Annotated[str | None, typer.Option(help="Only this suite's.")]
OfModel = Annotated[str | None, typer.Option("--model", help="Only this model's, by its name in the table.")]
To = Annotated[Path | None, typer.Option(help="Write it here instead of printing it.")]
OfStrategy = Annotated[str, typer.Option(help="A strategy's name, or the whole label of one of its rows.")]


class Relationship(StrEnum):
    """The schema's own words; a test holds them to it."""

    FIRST_PARTY = "first_party"
    THIRD_PARTY = "third_party"
    COLLABORATIVE = "collaborative"
    OTHER = "other"


@EXPORT.command("latex", help="A floating table for each model and task, with what its numbers hold as its caption.")
@EXPORT.command("markdown", help="A table for each model and task, with what its numbers hold.")
@EXPORT.command("csv", help="A line for each row, with full numbers.")
def export_table(
    context: typer.Context,
    out: Out = DEFAULT_OUT,
    suite: Suite = None,
    model: OfModel = None,
    to: To = None,
    allow_unequal: AllowUnequal = False,
) -> int:
    """All rows, in the form that the command is called by."""
    from reports.exchange import tables

    forms = {"csv": tables.rows_as_csv, "markdown": tables.rows_as_markdown, "latex": tables.rows_as_latex}
    rows = comparable_rows(records_of(suite, out, model=model), out, allow_unequal)
    return _write_or_print(forms[str(context.info_name)](rows), to)


@EXPORT.command("eval-results")
def export_eval_results(
    strategy: OfStrategy,
    task: Annotated[str, typer.Option(help="The task whose score it is.")],
    dataset: Annotated[str, typer.Option(help="The hub's id of the task's data, as `nyu-mll/glue`.")],
    task_id: Annotated[str, typer.Option(help="The task's id among those of the data set.")],
    revision: Annotated[str | None, typer.Option(help="Commit of the data set.")] = None,
    source_url: Annotated[str | None, typer.Option(help="Where the results can be looked at.")] = None,
    out: Out = DEFAULT_OUT,
    suite: Suite = None,
    model: OfModel = None,
    to: To = None,
) -> int:
    """A file for `.eval_results/` in a model's repository on the hub."""
    from reports.exchange.export_rows import rows_of_strategy
    from reports.exchange.hub import HubDataset, eval_results

    # Of a named task it gives one row, or has told of several.
    (row,) = rows_of_strategy(_exported_rows(out, suite, model), strategy, task)
    return _write_or_print(eval_results(row, HubDataset(dataset, task_id, revision, source_url)), to)


@EXPORT.command("model-card")
def export_model_card(
    strategy: OfStrategy,
    name: Annotated[str, typer.Option(help="Name of the trained model.")],
    base_model: Annotated[str | None, typer.Option(help="The hub's id of the base.")] = None,
    out: Out = DEFAULT_OUT,
    suite: Suite = None,
    model: OfModel = None,
    to: To = None,
) -> int:
    """A README.md for a model that was trained so, with its scores as `model-index`."""
    from reports.exchange.export_rows import rows_of_strategy
    from reports.exchange.hub import model_card

    return _write_or_print(model_card(rows_of_strategy(_exported_rows(out, suite, model), strategy), name, base_model), to)


@EXPORT.command("every-eval-ever")
def export_every_eval_ever(
    strategy: OfStrategy,
    organisation: Annotated[str, typer.Option(help="Who publishes the results.")],
    model_id: Annotated[str, typer.Option(help="The trained model's id, as on the hub: `us/our-model`.")],
    relationship: Annotated[
        Relationship, typer.Option(help="Who measured, in relation to who made the model.")
    ] = Relationship.OTHER,
    out: Out = DEFAULT_OUT,
    suite: Suite = None,
    model: OfModel = None,
    to: To = None,
) -> int:
    """JSON of Every Eval Ever, checked against its schema, which a pinned package holds."""
    from datetime import UTC, datetime

    from bench.data import assets
    from reports.exchange.every_eval_ever import Publisher, as_every_eval_ever
    from reports.exchange.export_rows import rows_of_strategy

    schema = json.loads(assets.member("every-eval-ever", "every_eval_ever/schemas/eval.schema.json"))
    rows = rows_of_strategy(_exported_rows(out, suite, model), strategy)
    document = as_every_eval_ever(rows, Publisher(organisation, model_id, relationship), schema, datetime.now(UTC))
    return _write_or_print(json.dumps(document, indent=1) + "\n", to)


def _exported_rows(out: Path, suite: str | None, model: str | None) -> "list[Row]":
    from reports.rows.rows import aggregate

    return aggregate(records_of(suite, out, model=model), out)


def _write_or_print(text: str, to: Path | None) -> int:
    if to:
        write_text(to, text)
        print(to)
    else:
        print(text, end="")
    return 0

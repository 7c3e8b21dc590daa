"""A suite from a person's own data."""

from typing import Annotated

import typer

STARTING = typer.Typer()


@STARTING.command()
def init(
    file: Annotated[str, typer.Argument(help="CSV, TSV, JSON lines, JSON, SQuAD, CoNLL, Parquet; or a data set on a hub.")],
    type_: Annotated[str | None, typer.Option("--type", help="classification, ner, qa, generation, causal-lm.")] = None,
    text: Annotated[str | None, typer.Option(help="Column that is read; several with commas.")] = None,
    label: Annotated[str | None, typer.Option(help="Column that is answered: classes, tags, answers, references.")] = None,
    labels: Annotated[str | None, typer.Option(help="What the file's labels mean: 0=bad,1=good.")] = None,
    group: Annotated[str | None, typer.Option(help="Column whose equal values stay on one side of a split, or none.")] = None,
    split: Annotated[str | None, typer.Option(help="Column that says train, validation or test, or none.")] = None,
    test: Annotated[str | None, typer.Option(help="File of test rows.")] = None,
    validation: Annotated[str | None, typer.Option(help="File of validation rows.")] = None,
    sample: Annotated[str | None, typer.Option(help="Rows to read of a big file, or all.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="csv, tsv, jsonl, json, squad, conll, parquet, arrow.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file: utf-8, cp1252, utf-16, ...")] = None,
    separator: Annotated[str | None, typer.Option(help="What stands between the cells of a csv file; tab for a tab.")] = None,
    header: Annotated[str | None, typer.Option(help="Names of the columns, comma-separated, where no line has them.")] = None,
    config: Annotated[str | None, typer.Option(help="Configuration of a data set on a hub that has several.")] = None,
    max_length: Annotated[str | None, typer.Option(help="Tokens of one example.")] = None,
    model: Annotated[str | None, typer.Option(help="What the suite runs on, as in `tunebench run`.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the suite and the task.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take all guesses without asking, for scripts.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files of that name.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> int:
    """Look at your own data, and write suites/NAME.yaml and suites/tasks/NAME.yaml for it."""
    # The packages that are imported below read what it sets.
    from bench import quiet

    quiet.libraries(debug)
    from bench.drafting.starting import start_suite
    from bench.drafting.wishes import Wishes

    # Options are words, numbers too: asked for changes, a person types the same, and one reader takes both.
    columns = {"type": type_, "text": text, "label": label, "labels": labels, "group": group, "split": split}
    files = {"test": test, "validation": validation, "sample": sample, "config": config, "format": format_}
    form = {"encoding": encoding, "separator": separator, "header": header}
    start_suite(
        file, Wishes().with_options(**columns, **files, **form, max_length=max_length, model=model, name=name), yes, force
    )
    return 0

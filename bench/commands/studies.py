"""What a study can see, and whether its statistics hold."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.options import DEFAULT_OUT, AllowUnequal, Out
from bench.commands.results import comparable_rows, records_of

STUDIES = typer.Typer()


@STUDIES.command()
def selfcheck(
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    out: Out = DEFAULT_OUT,
    tables: Annotated[
        int, typer.Option(min=2_000, help="How many tables are simulated for each bar; of fewer a bar fails by chance.")
    ] = 2_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
    seeds: Annotated[
        int | None, typer.Option(min=2, help="Seeds of each simulated row; without it as many as the real rows have.")
    ] = None,
    probes: Annotated[bool, typer.Option("--probes", help="Also check what is said of each probe's losses.")] = False,
    allow_unequal: AllowUnequal = False,
) -> int:
    """Simulate tables in the likeness of yours, and count how often what they say is true; exit status 1 where a bar fails.

    The scores of all metrics can be checked, and with --probes the losses of all probes but of those whose gold is graded, and
    of distances, of which nothing is said.
    """
    from reports.terminal.selfcheck import check

    rows = comparable_rows(records_of(suite, out), out, allow_unequal)
    return 0 if check(rows, out, tables, seed, seeds, probes) else 1


@STUDIES.command()
def power(
    difference: Annotated[str, typer.Option(help="The difference between two rows that is to be found, e.g. 2points.")],
    suite: Annotated[str | None, typer.Option(help="The pilot: only this suite's records.")] = None,
    out: Out = DEFAULT_OUT,
    allow_unequal: AllowUnequal = False,
) -> int:
    """How many seeds and test items finding a difference takes, and how long, from the answers of a pilot."""
    from reports.terminal.power import print_power

    print_power(comparable_rows(records_of(suite, out), out, allow_unequal), difference)
    return 0


@STUDIES.command()
def claims(
    suite: Annotated[str | None, typer.Option(help="Only this suite's records.")] = None,
    out: Out = DEFAULT_OUT,
    markdown: Annotated[Path | None, typer.Option(help="Write the verdicts here instead of printing them.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
) -> int:
    """What your records say to well-known claims about fine-tuning; `run --suite claims` makes the runs that they need."""
    from reports.claims.shown import show_claims

    show_claims(records_of(suite, out), out, markdown, as_json)
    return 0

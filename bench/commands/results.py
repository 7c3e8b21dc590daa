"""What stands in a folder of results, shown and checked."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.options import DEFAULT_OUT, Out
from bench.errors import UserError
from bench.records import store
from bench.records.contract import as_contract

if TYPE_CHECKING:
    from bench.records.record import Record

RESULTS = typer.Typer()


@RESULTS.command()
def results(
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    out: Out = DEFAULT_OUT,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects: a stable contract.")] = False,
) -> int:
    """The rows that the leaderboard shows."""
    if as_json:
        # A program gets a list whatever is there: an empty one is part of the contract.
        from reports.rows.rows import aggregate
        from reports.rows.standing import score_places

        found = list(store.of_suite(store.read_all(out), suite))
        rows = aggregate(found, out)
        places, deviations = score_places(rows), {run.run_id: row.seed_sd for row in rows for run in row.records}
        shown = [as_contract(record, deviations[record.run_id], places.get(record.run_id)) for record in found]
        print(json.dumps(shown, indent=1))
        return 0
    from reports.terminal import table

    table.print_rows(records_of(suite, out), out)
    return 0


def records_of(suite: str | None, out: Path) -> "list[Record]":
    """A folder's records, for a person: none at all is an error."""
    records = list(store.of_suite(store.read_all(out), suite))
    if not records:
        raise UserError(f"no records in {store.folder(out)}{f' of suite {suite}' if suite else ''}; run a suite first")
    return records


@RESULTS.command()
def report(
    out: Out = DEFAULT_OUT,
    records_in: Annotated[Path | None, typer.Option("--records", help="Folder of results to read; --out without it.")] = None,
) -> int:
    """Write leaderboard.html from the records."""
    from reports.page import leaderboard

    print(leaderboard.write_page(records_in or out, out))
    return 0


@RESULTS.command("forgetting")
def forgetting_report(
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    out: Out = DEFAULT_OUT,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables here instead of printing them.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Write the curves here, as SVG.")] = None,
) -> int:
    """Gain against forgetting: per probe, at the end, at equal gain, and in words."""
    from reports.paper import forgetting as report

    report.write_tables(records_of(suite, out), out, markdown, figure)
    return 0


@RESULTS.command("audit")
def audit_results(
    out: Annotated[Path, typer.Argument(help="Folder of results.")],
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
) -> int:
    """Recompute every published number from the answers per item; exit status 1 where one differs."""
    if not out.is_dir():
        raise UserError(f"there is no folder {out}; name one that `tunebench run --out` wrote")
    from reports.audit.findings import audit, summary

    findings = audit(out, records_of(suite, out))
    for line in summary(findings):
        print(line)
    return 0 if findings.clean else 1

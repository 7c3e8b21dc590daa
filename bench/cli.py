"""The command line: run, data, results, report, forgetting, audit, assets, doctor.

Heavy packages are imported by the commands that need them.
"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench import __version__
from bench.errors import RunError, UserError
from bench.records import store
from bench.records.contract import as_contract

if TYPE_CHECKING:
    from bench.records.record import Record

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
assets_app = typer.Typer(no_args_is_help=True, help="Pinned models and data inside PyPI wheels.")
app.add_typer(assets_app, name="assets")

Out = Annotated[Path, typer.Option(help="Folder of results; it can be deleted at any time.")]
DEFAULT_OUT = Path("out")
ProbeEvery = Annotated[
    str | None, typer.Option(help="Score and probe on the way too, every N steps or share of the budget (0.25, 25%).")
]
RerunOnChange = Annotated[
    bool, typer.Option("--rerun-on-change", help="Do finished runs of another environment (versions, device) again.")
]
TrustRemoteCode = Annotated[bool, typer.Option("--trust-remote-code", help="Run code from the model's repository.")]


def main(arguments: list[str] | None = None) -> None:
    """Entry of `tunebench`; exit status 2 for the user's input, 1 for a failed run."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = app(arguments, prog_name="tunebench", standalone_mode=False)
    except (UserError, RunError) as error:
        if "--debug" in arguments:
            raise
        print(f"error: {error}", file=sys.stderr)
        status = 2 if isinstance(error, UserError) else 1
    except typer.Exit as leaving:
        status = leaving.exit_code
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # click's own: a wrong option
            print(f"error: {error.format_message()}", file=sys.stderr)
            status = 2
        elif "--debug" in arguments:
            raise
        else:
            print(f"error: {type(error).__name__}: {error}; run again with --debug for the traceback", file=sys.stderr)
            status = 1
    sys.exit(status or 0)


def comma_separated(text: str | None) -> list[str] | None:
    """A comma-separated option as a list; None when it was not given."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


@app.command()
def run(
    suite: Annotated[str, typer.Option(help="Name of a suite, or path of its YAML file.")],
    model: Annotated[str | None, typer.Option(help="Pinned model, YAML file of a model, hub id or local folder.")] = None,
    strategies: Annotated[str | None, typer.Option(help="Comma-separated; all of the suite's without it.")] = None,
    tasks: Annotated[str | None, typer.Option(help="Comma-separated; all of the suite's without it.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Number of seeds.")] = None,
    budget: Annotated[str | None, typer.Option(help="What a run may spend, e.g. 512examples.")] = None,
    probe_items: Annotated[int | None, typer.Option(min=2, help="Size limit of each probe.")] = None,
    probe_power: Annotated[
        str | None,
        typer.Option(help="As many probe items as finding a loss of 5points or .02nats four times out of five needs."),
    ] = None,
    probe_every: ProbeEvery = None,
    test_items: Annotated[int | None, typer.Option(min=2, help="Ask a sample of N test examples alone, for a trial.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Hyper-parameter: [strategy.]key=value.")] = None,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16 (master weights are always fp32).")] = "auto",
    out: Out = DEFAULT_OUT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan with an estimate, and stop.")] = False,
    rerun_on_change: RerunOnChange = False,
    trust_remote_code: TrustRemoteCode = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> int:
    """Train, score and probe every strategy of a suite; what has a record is not run again."""
    from bench import quiet  # first: it sets what the heavy packages read on import

    quiet.libraries(debug)
    from bench.planning.plan import PlanOptions
    from bench.suites import run_suite

    options = PlanOptions(
        suite,
        model,
        comma_separated(tasks),
        comma_separated(strategies),
        seeds,
        budget,
        probe_items,
        test_items,
        set_ or [],
        trust_remote_code,
        probe_every,
        probe_power,
    )
    return run_suite(options, precision, out, dry_run, rerun_on_change, debug)


@app.command()
def results(
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    out: Out = DEFAULT_OUT,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects: a stable contract.")] = False,
) -> int:
    """The rows that the leaderboard shows."""
    if as_json:
        # A program gets a list whatever is there: an empty one is part of the contract.
        from reports.rows.rows import seed_sds

        found = list(store.of_suite(store.read_all(out), suite))
        deviations = seed_sds(found)
        print(json.dumps([as_contract(record, deviations[record.run_id]) for record in found], indent=1))
        return 0
    from reports.terminal import table

    table.print_rows(_records_of(suite, out), out)
    return 0


def _records_of(suite: str | None, out: Path) -> "list[Record]":
    """A folder's records, for a person: none at all is an error."""
    records = list(store.of_suite(store.read_all(out), suite))
    if not records:
        raise UserError(f"no records in {store.folder(out)}{f' of suite {suite}' if suite else ''}; run a suite first")
    return records


@app.command()
def data(
    task: Annotated[str, typer.Argument(help="Name of a task, or path of its YAML file.")],
    split: Annotated[str | None, typer.Option(help="train, validation, test, or a set from another domain.")] = None,
    suite: Annotated[str | None, typer.Option(help="Its length and first model are used.")] = None,
    model: Annotated[str | None, typer.Option(help="Whose tokens are shown; without it words alone.")] = None,
    instructed: Annotated[bool, typer.Option("--instructed", help="In the words of an instruction.")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="Counts of labels, clusters, lengths, repeats, overlaps.")] = False,
) -> int:
    """The examples as a run reads them, a JSON object a line; the training split without --split."""
    from bench import quiet

    quiet.libraries(False)
    from bench.planning.data_view import DataView

    DataView.of(task, suite, model, instructed).show(split, summary)
    return 0


@app.command()
def report(
    out: Out = DEFAULT_OUT,
    records_in: Annotated[Path | None, typer.Option("--records", help="Folder of results to read; --out without it.")] = None,
) -> int:
    """Write leaderboard.html from the records."""
    from reports.page import leaderboard

    print(leaderboard.write_page(records_in or out, out))
    return 0


@app.command("forgetting")
def forgetting_report(
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    out: Out = DEFAULT_OUT,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables here instead of printing them.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Write the curves here, as SVG.")] = None,
) -> int:
    """Gain against forgetting: per probe, at the end, at equal gain, and in words."""
    from reports.paper import forgetting as report

    report.write_tables(_records_of(suite, out), out, markdown, figure)
    return 0


@app.command("audit")
def audit_results(
    out: Annotated[Path, typer.Argument(help="Folder of results.")],
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
) -> int:
    """Recompute every published number from the answers per item; exit status 1 where one differs."""
    if not out.is_dir():
        raise UserError(f"there is no folder {out}; name one that `tunebench run --out` wrote")
    from reports.audit.findings import audit, summary

    findings = audit(out, _records_of(suite, out))
    for line in summary(findings):
        print(line)
    return 0 if findings.clean else 1


@assets_app.command("list")
def assets_list() -> int:
    """Pinned assets: package, version, licence, and whether they are in the cache."""
    from bench.data import assets

    for name, pin in assets.pinned().items():
        state = "cached" if assets.archive_path(name).exists() else "-"
        print(f"{name:<12} {pin.package}=={pin.version}  {pin.license}  {state}")
    return 0


@assets_app.command("fetch")
def assets_fetch(wanted: Annotated[list[str] | None, typer.Argument(help="Names; all without them.")] = None) -> int:
    """Download assets into the cache, their hashes checked."""
    from bench.data import assets

    for name in wanted or assets.pinned():
        print(assets.fetch(name))
    return 0


@assets_app.command("verify")
def assets_verify() -> int:
    """Check the hash of every asset in the cache."""
    from bench.data import assets

    for name in assets.pinned():
        if assets.archive_path(name).exists():
            assets.check_hash(assets.archive_path(name), name)
            print(f"{name}: ok")
    return 0


@app.command()
def doctor() -> int:
    """What this machine can do: devices, precisions, launchers, hub, free memory and disk."""
    from bench import quiet

    quiet.libraries(False)
    from bench.planning import doctor as doctor_module

    doctor_module.print_findings()
    return 0


@app.command()
def version() -> int:
    """tunebench's version."""
    print(__version__, os.path.dirname(__file__))
    return 0

"""The command line: run, results, report, forgetting, assets, doctor.

Heavy packages are imported by the commands that need them.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench import __version__
from bench.errors import RunError, UserError
from bench.records import store
from bench.records.contract import as_contract

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
assets_app = typer.Typer(no_args_is_help=True, help="Pinned models and data inside PyPI wheels.")
app.add_typer(assets_app, name="assets")

Out = Annotated[Path, typer.Option(help="Folder of results; it can be deleted at any time.")]
DEFAULT_OUT = Path("out")


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


def names(text: str | None) -> list[str] | None:
    """A comma-separated option as a list; None when it was not given."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


@app.command()
def run(
    suite: Annotated[str, typer.Option(help="Name of a suite, or path of its YAML file.")],
    model: Annotated[str | None, typer.Option(help="Pinned model, hub id or local folder.")] = None,
    strategies: Annotated[str | None, typer.Option(help="Comma-separated; all of the suite's without it.")] = None,
    tasks: Annotated[str | None, typer.Option(help="Comma-separated; all of the suite's without it.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Number of seeds.")] = None,
    budget: Annotated[str | None, typer.Option(help="What a run may spend, e.g. 512examples.")] = None,
    probe_items: Annotated[int | None, typer.Option(min=2, help="Size limit of each probe.")] = None,
    probe_every: Annotated[
        str | None, typer.Option(help="Score and probe on the way too, every N steps or share of the budget (0.25, 25%).")
    ] = None,
    test_items: Annotated[int | None, typer.Option(min=2, help="Use the first N test examples alone, for a trial.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Hyper-parameter: [strategy.]key=value.")] = None,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16 (master weights are always fp32).")] = "auto",
    out: Out = DEFAULT_OUT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan with an estimate, and stop.")] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code from the model's repository.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> int:
    """Train, score and probe every strategy of a suite; what has a record is not run again."""
    from bench import quiet  # first: it sets what the heavy packages read on import

    quiet.libraries(debug)
    from bench import folders
    from bench.devices.device import start
    from bench.planning import estimate
    from bench.planning.plan import Options, plan
    from bench.progress import Progress
    from bench.running import execution
    from reports.page import leaderboard
    from reports.terminal import table

    if precision not in ("auto", "fp32", "bf16"):
        raise UserError(f"precision '{precision}' is unknown; choose auto, fp32 or bf16")
    options = Options(
        suite,
        model,
        names(tasks),
        names(strategies),
        seeds,
        budget,
        probe_items,
        test_items,
        set_ or [],
        trust_remote_code,
        probe_every,
    )
    device = start(precision)  # type: ignore[arg-type]
    with device.accelerator.main_process_first():
        runs = plan(options, device.precision)
    progress = Progress(device.main, len(runs))
    for sentence in dict.fromkeys(sentence for planned in runs for sentence in planned.left_out):
        progress.say(sentence)
    if dry_run:
        if device.main:
            estimate.show(runs, out)
        return 0
    if device.main:
        folders.check_writable(store.folder(out))
    known = {r.run_id for r in store.read_all(out) if r.status != "failed"}
    waiting = [r for r in runs if r.id not in known]
    device.accelerator.wait_for_everyone()
    if not waiting:
        progress.say(f"nothing to run: all {len(runs)} runs of suite '{runs[0].suite}' have records in {out}")
    else:
        progress.total = len(waiting)
        execution.check_data(waiting)
    found = execution.execute(runs, out, device, progress, debug)
    if device.main:
        table.print_rows(found, out)
        page = leaderboard.write_page(out, out)
        progress.say(f"leaderboard: {page}")
    return 1 if any(record.status == "failed" for record in found) else 0


@app.command()
def results(
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    out: Out = DEFAULT_OUT,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects: a stable contract.")] = False,
) -> int:
    """The rows that the leaderboard shows."""
    found = list(store.of_suite(store.read_all(out), suite))
    if as_json:
        print(json.dumps([as_contract(record) for record in found], indent=1))
        return 0
    from reports.terminal import table

    if not found:
        raise UserError(f"no records in {store.folder(out)}; run a suite first")
    table.print_rows(found, out)
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


@app.command()
def forgetting(
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    out: Out = DEFAULT_OUT,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables here instead of printing them.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Write the curves here, as SVG.")] = None,
) -> int:
    """Gain against forgetting: per probe, at the end, at equal gain, and in words."""
    from reports.paper import forgetting as report

    found = list(store.of_suite(store.read_all(out), suite))
    if not found:
        raise UserError(f"no records in {store.folder(out)}{f' of suite {suite}' if suite else ''}; run a suite first")
    report.write_tables(found, out, markdown, figure)
    return 0


@assets_app.command("list")
def assets_list() -> int:
    """Pinned assets: package, version, licence, and whether they are in the cache."""
    from bench.data import assets

    for name, pin in assets.pinned().items():
        state = "cached" if assets.path(name).exists() else "-"
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
        if assets.path(name).exists():
            assets.check(assets.path(name), name)
            print(f"{name}: ok")
    return 0


@app.command()
def doctor() -> int:
    """What this machine can do: devices, precisions, launchers, hub, free memory and disk."""
    from bench import quiet

    quiet.libraries(False)
    from bench.planning import doctor as doctor_module

    doctor_module.show()
    return 0


@app.command()
def version() -> int:
    """tunebench's version."""
    print(__version__, os.path.dirname(__file__))
    return 0

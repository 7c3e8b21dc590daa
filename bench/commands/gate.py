"""Whether results became worse, against earlier ones."""

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UnwritableError
from bench.folders import faults_told, write_text

if TYPE_CHECKING:
    from reports.gate.compared import Compared

GATE = typer.Typer()
BASELINE = typer.Typer(no_args_is_help=True, help="Results that later ones are held against.")
ACCEPTED = Path("baselines/accepted")

NOT_MINDED = "How small a change nobody minds: 2points, .05nats, .01nats/token, 5% (the defaults), or some with commas."


@GATE.command()
def compare(
    new: Annotated[Path, typer.Argument(help="Folder of new results.")],
    old: Annotated[Path, typer.Argument(help="Folder of earlier results, or of accepted ones (tunebench baseline accept).")],
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    within: Annotated[str | None, typer.Option(help=NOT_MINDED)] = None,
    seconds: Annotated[bool, typer.Option("--seconds", help="Judge training seconds too, if one machine took both.")] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Tell of rows that NEW lacks, instead of ending with 2.")
    ] = False,
    markdown: Annotated[Path | None, typer.Option(help="Write the comparison here as Markdown, for a pull request.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write it here as JUnit XML, for the list of tests of a CI.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object, whose keys stay, instead of tables.")] = False,
) -> int:
    """Did quality fall, forgetting or cost rise? Exit status 1 where one did, 2 where the two are not comparable."""
    from reports.gate.compared import compared
    from reports.gate.reading import read_sides
    from reports.gate.tolerance import parsed_within

    margins = parsed_within(within)
    comparison = compared(*read_sides(new, old, suite), margins, seconds, allow_missing)
    # First what is said here: whatever can't be written, a regression ends with 1.
    if as_json:
        from reports.gate.as_json import changes_as_json

        print(json.dumps(changes_as_json(comparison), indent=1))
    else:
        from reports.terminal.changes import print_changes

        print_changes(comparison)
    try:
        _write_comparison(comparison, markdown, junit)
    except UnwritableError as error:
        if comparison.status != 1:
            raise
        typer.echo(f"error: {error}", err=True)
    return comparison.status


def _write_comparison(comparison: "Compared", markdown: Path | None, junit: Path | None) -> None:
    """The files that were asked for, and the summary of a step of GitHub Actions, where one runs."""
    from reports.gate.junit import changes_as_junit
    from reports.gate.markdown import changes_as_markdown

    if markdown:
        write_text(markdown, changes_as_markdown(comparison))
    if junit:
        write_text(junit, changes_as_junit(comparison))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        # GitHub's file holds what other commands of the step have said before.
        with faults_told(Path(summary)), open(summary, "a", encoding="utf-8") as file:
            file.write(changes_as_markdown(comparison))


@BASELINE.command("accept")
def accept_baseline(
    out: Annotated[Path, typer.Argument(help="Folder of results.")],
    to: Annotated[Path, typer.Option(help="Folder of accepted baselines; earlier ones stay there.")] = ACCEPTED,
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    commit: Annotated[str | None, typer.Option(help="Commit of the code that made them; without it git is asked.")] = None,
) -> int:
    """Keep results, small, as what `tunebench compare OUT baselines/accepted` holds later ones against."""
    from datetime import UTC, datetime

    from reports.gate.accepted import accept

    kept = accept(out, to, commit or _commit(), datetime.now(UTC), suite)
    size = sum(path.stat().st_size for path in kept.folder.rglob("*") if path.is_file())
    print(f"{kept.folder}: {len(kept.records)} runs, {size / 1e6:.2f} MB")
    return 0


def _commit() -> str | None:
    """The present folder's, marked where files differ from it; None where there is no git."""
    # `rev-parse` would not tell of changed files, and `describe` with its tags not always of the commit.
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


@GATE.command()
def history(
    baselines: Annotated[Path, typer.Argument(help="Folder of accepted baselines.")] = ACCEPTED,
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
) -> int:
    """Each row's course over what was accepted, and where it changed by more than noise."""
    from reports.gate.history import courses
    from reports.terminal.history import print_courses

    print_courses(courses(baselines, suite))
    return 0

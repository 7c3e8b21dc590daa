"""What stands in a folder of results, shown and checked."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.options import DEFAULT_OUT, AllowUnequal, OfBudget, Out, comma_separated, finite_limit, size
from bench.errors import UserError, unknown

if TYPE_CHECKING:
    from bench.records.record import Record
    from reports.rows.row import Row
    from reports.rows.standing import Places

RESULTS = typer.Typer()


@RESULTS.command()
def results(
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    out: Out = DEFAULT_OUT,
    budget: OfBudget = None,
    allow_unequal: AllowUnequal = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects, whose keys stay.")] = False,
    trials: Annotated[bool, typer.Option("--trials", help="The trials of --tune instead of results.")] = False,
    variance: Annotated[
        bool, typer.Option("--variance", help="Of runs with --vary: how far each part of a seed moves scores.")
    ] = False,
) -> int:
    """The rows that the leaderboard shows."""
    kinds = [name for name, given in (("--trials", trials), ("--variance", variance), ("--json", as_json)) if given]
    if len(kinds) > 1:
        raise UserError(f"{' and '.join(kinds)} each show something else; give one of them")
    if trials:
        _print_trials(suite, out, budget)
        return 0
    if variance:
        _print_variance(suite, out, budget, allow_unequal)
        return 0
    if as_json:
        _print_contract(suite, out, budget)
        return 0
    from reports.terminal import table

    if not table.print_results(out, _run_filter(suite, out, budget), allow_unequal):
        raise _no_records_error(suite, out, budget)
    return 0


def _print_contract(suite: str | None, out: Path, budget: str | None) -> None:
    """A program gets a list whatever is there: an empty one is part of the contract."""
    from bench.records.contract import as_contract
    from reports.rows.summaries import SuiteReport, suite_summaries

    records = _chosen_records(suite, out, budget)
    # Unequal rows are let through: a program is refused nothing that is there.
    parts = suite_summaries(out, out, SuiteReport("rows", _beside_records), True, _run_filter(suite, out, budget))
    by_run = {run: told for part in parts for run, told in part.items()}
    print(json.dumps([as_contract(record, *by_run.get(record.run_id, ())) for record in records], indent=1))


def _beside_records(rows: "Sequence[Row]") -> "dict[str, tuple[float | None, Places | None, list[str]]]":
    """By run's id what its row and its table say: the score's deviation between seeds, the row's places, and what makes the
    table unequal. Rows that answer different questions have no places."""
    from reports.rows.fairness import of_one_question, unfair
    from reports.rows.rows import grouped
    from reports.rows.standing import score_places

    tables = grouped(rows)
    places = score_places([row for table in tables.values() if of_one_question(table) for row in table])
    unequal = {group: list(unfair(table)) for group, table in tables.items()}
    return {run.run_id: (row.seed_sd, places.get(run.run_id), unequal[row.group]) for row in rows for run in row.records}


def _print_trials(suite: str | None, out: Path, budget: str | None) -> None:
    """A trial's budget is its own, which with --tune-share is a part of the run's."""
    from bench.records.trial import read_trials, trials_folder
    from bench.specs.budget import Budget
    from reports.terminal.trials import print_trials

    # As records write it, so that `0.08Mtokens` finds `80ktokens`.
    written_budget = None if budget is None else str(Budget.parse(budget))
    setups = ((trial, trial.setup) for trial in read_trials(out))
    trials = [trial for trial, setup in setups if suite in (None, setup.suite) and written_budget in (None, setup.budget)]
    if not trials:
        raise UserError(
            f"no trials in {trials_folder(out)}{_restriction_in_words(suite, budget)}; run a suite with --tune first"
        )
    print_trials(trials)


def _print_variance(suite: str | None, out: Path, budget: str | None, allow_unequal: bool) -> None:
    from bench.records import store
    from reports.terminal.variance import print_variance

    place = store.varied_folder(out)
    varied = _chosen_records(suite, place, budget)
    if not varied:
        first = "run a suite with --vary init,order,dropout --seeds 5 first"
        raise UserError(f"no records in {store.folder(place)}{_restriction_in_words(suite, budget)}; {first}")
    # Beside the parts stand whole seeds, which ordinary runs have.
    print_variance(varied, _chosen_records(suite, out, budget), allow_unequal)


def records_of(suite: str | None, out: Path, budget: str | None = None, model: str | None = None) -> "list[Record]":
    """A folder's records, for a person: none at all is an error."""
    records = _chosen_records(suite, out, budget)
    if not records:
        raise _no_records_error(suite, out, budget)
    of_model = [record for record in records if model in (None, record.setup.model)]
    if model and not of_model:
        raise unknown("model", model, {record.setup.model for record in records})
    return of_model


def comparable_rows(records: "Sequence[Record]", out: Path, allow_unequal: bool) -> "list[Row]":
    """The records' rows; unless it is allowed, UserError where rows of one table were asked different questions."""
    from reports.rows.fairness import check_comparable
    from reports.rows.rows import aggregate

    rows = aggregate(records, out)
    if not allow_unequal:
        check_comparable(rows)
    return rows


def _no_records_error(suite: str | None, out: Path, budget: str | None) -> UserError:
    from bench.records import store

    return UserError(f"no records in {store.folder(out)}{_restriction_in_words(suite, budget)}; run a suite first")


def _restriction_in_words(suite: str | None, budget: str | None) -> str:
    """What was asked for, behind what there is none of."""
    return "".join(f" of {what} {name}" for what, name in (("suite", suite), ("budget", budget)) if name)


def _run_filter(suite: str | None, out: Path, budget: str | None) -> Callable[[str, str], bool]:
    """By a run's id and suite, whether it is chosen. No record is read for it, but for a budget."""
    if budget is None:
        return lambda _, of: suite in (None, of)
    chosen = {record.run_id for record in _chosen_records(suite, out, budget)}
    return lambda run, _: run in chosen


def _chosen_records(suite: str | None, out: Path, budget: str | None) -> "list[Record]":
    from bench.records import store
    from bench.specs.budget import Budget

    records = list(store.of_suite(store.read_all(out), suite))
    if budget is None:
        return records
    written = str(Budget.parse(budget))
    # Rows that train nothing are of every budget, and would stand alone in a table of one that nobody ran.
    budgets = {record.setup.budget or "not known" for record in records if not store.of_any_budget(record)}
    if budgets and written not in budgets:
        raise unknown("budget", written, budgets)
    return list(store.of_budget(records, written))


@RESULTS.command()
def report(
    out: Out = DEFAULT_OUT,
    records_in: Annotated[Path | None, typer.Option("--records", help="Folder of results to read; --out without it.")] = None,
    allow_unequal: AllowUnequal = False,
    baselines: Annotated[
        Path | None, typer.Option(help="Also draw each row over the baselines that this folder holds.")
    ] = None,
) -> int:
    """Write leaderboard.html from the records."""
    from reports.page import leaderboard

    print(leaderboard.write_page(records_in or out, out, allow_unequal, baselines))
    return 0


@RESULTS.command()
def choose(
    suite: Annotated[str | None, typer.Option(help="Only this suite's rows.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model's rows.")] = None,
    tasks: Annotated[str | None, typer.Option(help="The tasks that count, comma-separated; all without it.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Training may take so many seconds.")] = None,
    max_memory: Annotated[str | None, typer.Option(help="A run may hold so much at any time, such as 4GB.")] = None,
    max_saved: Annotated[str | None, typer.Option(help="A fine-tune may need so much beside the base, such as 100MB.")] = None,
    max_forgetting: Annotated[
        float | None, typer.Option(help="Each probe may lose so much, in its own unit; of shares .02 is 2 points.")
    ] = None,
    out: Out = DEFAULT_OUT,
    budget: OfBudget = None,
    allow_unequal: AllowUnequal = False,
) -> int:
    """Which row to pick: of those within your limits, all that no other one beats by more than chance."""
    from reports.choice.rule import Wish
    from reports.terminal.choice import print_choices

    bounds = {
        "train_seconds": finite_limit("--max-seconds", max_seconds),
        "peak_memory_bytes": size("--max-memory", max_memory),
        "saved_bytes": size("--max-saved", max_saved),
    }
    limits = {cost: limit for cost, limit in bounds.items() if limit is not None}
    rows = comparable_rows(records_of(suite, out, budget, model), out, allow_unequal)
    print_choices(rows, Wish(limits, finite_limit("--max-forgetting", max_forgetting), comma_separated(tasks) or ()))
    return 0


@RESULTS.command("forgetting")
def forgetting_report(
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
    out: Out = DEFAULT_OUT,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables here instead of printing them.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Write the curves here, as SVG.")] = None,
    budget: OfBudget = None,
    allow_unequal: AllowUnequal = False,
) -> int:
    """Gain against forgetting: per probe, at the end, at equal gain, and in words."""
    from reports.paper import forgetting as report

    report.write_tables(records_of(suite, out, budget), out, markdown, figure, allow_unequal)
    return 0


@RESULTS.command("audit")
def audit_results(
    out: Annotated[Path, typer.Argument(help="Folder of results.")],
    suite: Annotated[str | None, typer.Option(help="Only this suite's.")] = None,
) -> int:
    """Recompute every published number from the answers per item; exit status 1 where one differs."""
    # A mistyped folder would else be told as one in which nothing has run yet.
    if not out.is_dir():
        raise UserError(f"there is no folder {out}; name one that `tunebench run --out` wrote")
    from reports.audit.findings import audit, summary

    findings = audit(out, records_of(suite, out))
    for line in summary(findings):
        print(line)
    return 0 if findings.clean else 1

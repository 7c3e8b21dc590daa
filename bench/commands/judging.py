"""What another model says of the rows' answers."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.options import DEFAULT_OUT, AllowUnequal, Out
from bench.commands.results import records_of
from bench.folders import write_text

if TYPE_CHECKING:
    from bench.judging.judge import Judging
    from bench.judging.row_pairs import RowPair
    from reports.judged.win_rates import JudgedRows

JUDGING = typer.Typer()


@JUDGING.command("judge")
def judge_command(
    judge: Annotated[str, typer.Option(help="YAML file of a model behind an API, which says which answer is better.")],
    suite: Annotated[str | None, typer.Option(help="Only this suite's rows.")] = None,
    task: Annotated[str | None, typer.Option(help="Only this task, whose answers are texts.")] = None,
    out: Out = DEFAULT_OUT,
    against: Annotated[str | None, typer.Option(help="Hold each row against this one alone; all pairs without it.")] = None,
    items: Annotated[int | None, typer.Option(min=2, help="Ask about a sample of N items of each task.")] = None,
    allow_unequal: AllowUnequal = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what it would cost, and stop.")] = False,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables here instead of printing them.")] = None,
) -> int:
    """Ask a model which of two rows' answers is better, in both orders; what it said is kept, and not asked again."""
    from bench.judging.judge import Judging, find_judge
    from bench.judging.row_pairs import JudgeOptions, cut_texts, row_pairs
    from reports.formats.console import console, say

    pairs = row_pairs(records_of(suite, out), out, JudgeOptions(task, against, items, allow_unequal))
    judging = Judging(find_judge(judge), out, partial(typer.echo, err=True))
    to = console()
    # Before anything is paid for, and not in a dry run alone.
    say(to, judging.cost_sentence(pairs))
    if cut := cut_texts(pairs):
        say(to, f"items of which the judge sees the beginning alone, since no more of their texts is kept: {cut:,}")
    if not dry_run:
        _show_win_rates(_judged_tables(judging, pairs), _unequal_chances(pairs), judging.judge.name, markdown)
    return 0


def _judged_tables(judging: "Judging", pairs: "list[RowPair]") -> "dict[str, list[JudgedRows]]":
    """Heading of each table -> its pairs with their verdicts."""
    from bench.progress import Progress
    from reports.judged.win_rates import JudgedRows

    tables: dict[str, list[JudgedRows]] = {}
    progress = Progress(True, len(pairs))
    for pair in pairs:
        progress.start(f"{pair.rows[0].setup.task}: {pair.label}")
        by_seed = [(judging.verdicts(pairing), turned) for pairing, turned in pair.pairings]
        # Verdicts are kept by the runs' ids, so that their `one` may be the row that stands below.
        verdicts = [[judged.turned if turned else judged for judged in of_seed] for of_seed, turned in by_seed]
        labels = (pair.rows[0].label, pair.rows[1].label)
        runs = (len(pair.rows[0].records), len(pair.rows[1].records))
        seeded = (not pair.rows[0].seedless, not pair.rows[1].seedless)
        rows = JudgedRows(labels, verdicts, pair.clusters, runs, seeded)
        tables.setdefault(_heading_of_pair(pair), []).append(rows)
        progress.done(f"{len(pair.clusters):,} items judged")
    return tables


def _heading_of_pair(pair: "RowPair") -> str:
    suite, model, task = pair.group
    return f"{suite}: {model} on {task}"


def _unequal_chances(pairs: "list[RowPair]") -> dict[str, list[str]]:
    """Heading of each table -> what its rows differ in beside the strategy, as a table of their scores says it."""
    from reports.rows.fairness import unfair
    from reports.rows.row import Row

    tables: dict[str, dict[str, Row]] = {}
    for pair in pairs:
        tables.setdefault(_heading_of_pair(pair), {}).update({row.label: row for row in pair.rows})
    return {heading: list(unfair(list(rows.values()))) for heading, rows in tables.items()}


def _show_win_rates(
    tables: "dict[str, list[JudgedRows]]", unequal: dict[str, list[str]], judge: str, markdown: Path | None
) -> None:
    from reports.judged.shown import judged_page, print_judged
    from reports.judged.win_rates import win_rates

    # All pairs of a table at once: how surprising each is hangs on how many are looked at (Holm).
    rates = {heading: replace(win_rates(pairs), unequal=unequal[heading]) for heading, pairs in tables.items()}
    by_caption = {f"{heading}, judged by {judge} over {each.items:,} items": each for heading, each in rates.items()}
    if markdown:
        write_text(markdown, judged_page(by_caption))
        return
    for heading, each in by_caption.items():
        print_judged(heading, each)

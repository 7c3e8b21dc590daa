"""Which row to pick, in a terminal: what is left of the rows and why, and what was left out and why."""

from collections.abc import Sequence

from bench.errors import UserError
from bench.groups import groups_by
from reports.boards.ranking import ranking, standings_of
from reports.choice.rule import Chosen, Wish, choices
from reports.formats.console import console, say
from reports.rows.fairness import unfair_on
from reports.rows.row import Row
from reports.rows.rows import ranked


def print_choices(rows: Sequence[Row], wish: Wish) -> None:
    """Print a choice for each suite and model.

    Raises:
        UserError: no row has a score on the tasks that count.
    """
    all_choices = [
        choice
        for name, group in groups_by(ranked(rows), lambda row: row.setup.suite).items()
        # The page's own data are asked, so that both give the same answer in the same words.
        for choice in choices({"name": name, **ranking(group, standings_of(group))}, wish)
        # Of several models one may not have been asked the tasks that count.
        if not choice.unasked
    ]
    if not all_choices:
        tasks = dict.fromkeys(row.setup.task for row in rows)
        raise UserError(f"no row has a score on all of {', '.join(wish.tasks or tasks)}; the tasks here are {', '.join(tasks)}")
    for choice in all_choices:
        _print_choice(choice, list(unfair_on(rows, choice.suite, choice.model, choice.tasks)))


def _print_choice(choice: Chosen, unequal: Sequence[str]) -> None:
    screen = console()
    say(screen, f"{choice.suite}: {choice.model} on {', '.join(choice.tasks)}")
    say(screen, f"  {choice.said}")
    for label, reasons in choice.picks:
        say(screen, f"  {label}: {'; '.join(reasons)}")
    if choice.out:
        say(screen, "  Left out:")
    for label, why in choice.out:
        say(screen, f"    {label}: {why}")
    for sentence in unequal:
        say(screen, f"  {sentence}")

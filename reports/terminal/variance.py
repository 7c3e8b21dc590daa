"""How far each part of a seed moves scores, in the terminal: `tunebench results --variance`."""

from collections.abc import Iterator, Sequence

from rich.console import Console

from bench.records.outcome import SeedPart
from bench.records.record import Record
from bench.statistics.deviations import Deviation, Share
from reports.formats.console import add_cells, add_column, console, plain_table, say
from reports.rows import numbers
from reports.rows.fairness import check_comparable, unfair
from reports.rows.numbers import Quantity
from reports.rows.row import Row
from reports.rows.rows import aggregate
from reports.rows.seed_parts import Moved, SeedParts, seed_parts

STILL: dict[SeedPart | None, str] = {"init": "nothing to initialise", "dropout": "no dropout"}
"""Why a part moves nothing."""
WHOLE = "all at once"
CAPTION = (
    "varied: what the seed moves; the rest stays at seed 0. init: fresh weights of a head or adapter; order: of the examples;",
    "dropout: random numbers in training. 0 in words: nothing of it is drawn at random, so that every seed is the same run.",
    "share: of the sum of the parts' variances. Few seeds tell it roughly, as its interval says. It has a dash where all seeds",
    "of a part have the same score: where it is by chance, more seeds tell them apart.",
    "All runs answer the same items: an SD is over seeds on these, each seed's own chance on them included.",
)
TOGETHER = (
    f"{WHOLE}: whole seeds, of the ordinary runs. Parts that act on each other make it another than the root of the parts' sum."
)


def print_variance(varied: Sequence[Record], ordinary: Sequence[Record], allow_unequal: bool = False) -> None:
    """A table for each suite, model and task.

    Args:
        varied: records in which one part of the seed is moved.
        ordinary: those of whole seeds, of which the ones that asked the same are shown beside.

    Raises:
        UserError: strategies of one table answer different questions, unless it is to be shown all the same.
    """
    to, tables = console(), seed_parts(varied, ordinary)
    rows = {group: _one_run_each(strategies) for group, strategies in tables.items()}
    if not allow_unequal:
        check_comparable([row for of_group in rows.values() for row in of_group])
    for (suite, model, task), strategies in tables.items():
        quantity = next((each.quantity for each in strategies if each.quantity), None)
        if quantity is not None:
            items = numbers.item_counts([each.items for each in strategies if each.items])
            say(to, f"{suite}: {model} on {task} ({quantity.name} over {items})")
            _show_parts(to, strategies, quantity)
        for line in (*_unscored_lines(strategies), *_collapsed_lines(strategies), *unfair(rows[suite, model, task])):
            say(to, line)


def _one_run_each(strategies: Sequence[SeedParts]) -> list[Row]:
    """A row of each strategy's first run that has a score: its others asked the same question."""
    scored = (next((record for record in each.records if record.outcome), None) for each in strategies)
    return aggregate([record for record in scored if record])


def _show_parts(to: Console, strategies: Sequence[SeedParts], quantity: Quantity) -> None:
    table = plain_table()
    add_column(table, "strategy", "strategy", justify="left")
    add_column(table, "varied_part", "varied", justify="left", min_width=12)
    add_column(table, "seeds", "seeds", min_width=6)
    add_column(table, "varied_sd", "SD [95 %]", quantity.unit, min_width=24)
    add_column(table, "varied_share", "share [95 %]", "%", min_width=14)
    for each in strategies:
        for place, moved in enumerate([*each.parts, *([each.whole] if each.whole else [])]):
            add_cells(table, (each.label if place == 0 else "", *_part_cells(moved, quantity)))
    to.print(table)
    for line in (*CAPTION, *([TOGETHER] if any(each.whole for each in strategies) else [])):
        say(to, line)


def _part_cells(moved: Moved, quantity: Quantity) -> tuple[str, str, str, str]:
    if moved.empty:
        # The share of nothing is 0 where others have theirs, and where nothing scatters there are none.
        return str(moved.part), "", f"0 ({STILL[moved.part]})", "0" if moved.share else ""
    # Whole seeds are no part of themselves, and have no share.
    share = _share_with_interval(moved.share) if moved.part else ""
    return moved.part or WHOLE, str(len(moved.scores)), _deviation_with_interval(moved.deviation, quantity), share


def _deviation_with_interval(deviation: Deviation | None, quantity: Quantity) -> str:
    if deviation is None:
        return numbers.MISSING
    text = numbers.span(deviation.value, quantity)
    if deviation.low is None or deviation.high is None:
        return text
    return f"{text} [{numbers.span(deviation.low, quantity)}, {numbers.span(deviation.high, quantity)}]"


def _share_with_interval(share: Share | None) -> str:
    if share is None:
        return numbers.MISSING
    text = f"{100 * share.value:.0f}"
    return text if share.low is None or share.high is None else f"{text} [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _unscored_lines(strategies: Sequence[SeedParts]) -> Iterator[str]:
    """Runs without a score, by their reason."""
    for each in strategies:
        for reason in dict.fromkeys(record.reason for record in each.unscored):
            count = sum(record.reason == reason for record in each.unscored)
            yield f"{each.label}: {count} of {len(each.records)} runs have no score: {reason}"


def _collapsed_lines(strategies: Sequence[SeedParts]) -> Iterator[str]:
    for each in strategies:
        if fallen := sum(record.outcome is not None and record.outcome.collapsed is not None for record in each.records):
            runs = f"{fallen} of {len(each.records)} runs"
            yield f"{each.label}: {runs} collapsed to a constant answer; their scores say nothing of seeds that learn"

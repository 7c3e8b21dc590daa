"""`tunebench power`: how many seeds and items finding a difference takes, and what they cost."""

import re
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.durations import lasting
from bench.errors import UserError
from bench.statistics.intervals import FEW_SEEDS
from bench.statistics.study_size import SEEDS_LOOKED_AT, Pilot
from reports.formats.console import add_column, console, plain_table, say
from reports.rows import numbers
from reports.rows.fairness import unfair
from reports.rows.numbers import Quantity
from reports.rows.pilots import known_items, pilot_of, study_seconds
from reports.rows.row import Row
from reports.rows.rows import grouped
from reports.rows.standing import score_standing

SEEDS = range(2, 11)
"""The least has two: one seed says nothing of how far another moves a score."""
NONE = "none suffices"


def print_power(rows: Sequence[Row], difference: str) -> None:
    """Print a table for each model and task of the pilot.

    Raises:
        UserError: the difference is none, or no table says what varies; the reasons are in it.
    """
    to, reasons, shown = console(), [], 0
    for (suite, model, task), group in grouped(rows).items():
        where = f"{suite}: {model} on {task}"
        scored = [row for row in group if row.score]
        pilot = pilot_of(scored)
        wanted = _parsed_difference(difference, scored[0].quantity) if scored else None
        # A suite may have scores in several units, of which a difference can be in one alone.
        if isinstance(pilot, str) or wanted is None:
            other_unit = (
                f"its score is in {scored[0].quantity.unit}, and the difference '{difference}' is not" if scored else ""
            )
            reasons.append(f"{where}: {pilot if isinstance(pilot, str) else other_unit}")
            continue
        _show_plan(to, where, scored, pilot, wanted)
        for sentence in unfair(scored):
            say(to, sentence)
        shown += 1
    if not shown:
        raise UserError(f"no pilot to plan from; {'; '.join(reasons)}")
    for reason in reasons:
        say(to, f"not planned: {reason}")


def _parsed_difference(text: str, quantity: Quantity) -> float | None:
    """`2points` of a share, else a number with the score's own unit or none; None where it is of another unit."""
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([a-z_ ]*)", text)
    if not match or not float(match[1]):
        raise UserError(f"difference '{text}': give a number with its unit, as 2points")
    if quantity.share and match[2] == "points" and float(match[1]) >= 100:
        raise UserError(f"difference '{text}': scores that lie between 0 and 1 are less than 100 points apart")
    if quantity.share:
        return float(match[1]) / 100 if match[2] == "points" else None
    return float(match[1]) if match[2] in ("", quantity.unit) else None


def _show_plan(to: Console, where: str, rows: Sequence[Row], pilot: Pilot, difference: float) -> None:
    quantity = rows[0].quantity
    wanted = f"{numbers.span(difference, quantity)} {quantity.unit}"
    say(to, f"{where}: to find a difference of {wanted} between two rows that train four times out of five")
    # The pilot's rows may have unlike numbers of seeds: what it finds is what its table says, and no design's number.
    standing = score_standing(rows)
    now = numbers.found_from(standing.detectable.value, quantity) if standing and standing.detectable else numbers.MISSING
    say(
        to,
        f"Pilot: {pilot.rows} rows that train, {pilot.items:,} items, seed SD {numbers.span(pilot.sigma2**0.5, quantity)} "
        f"{quantity.unit} on endless items (known with {pilot.freedom} degrees of freedom).",
    )
    say(to, f"It finds {now} {quantity.unit} so often, after Holm over {pilot.pairs} pairs.")
    to.print(_table_of_designs(rows, pilot, difference))
    say(
        to,
        "floor: what so many seeds find with endless items. 80 % range: the pilot tells no better how far seeds vary.",
    )
    say(to, f"From {FEW_SEEDS + 1} seeds on a pair is held by its own two rows' seeds, which are known less well at first.")
    if exist := known_items(rows):
        say(to, f"The task has {exist:,} test items; +: more than these.")
    if pilot.smallest(SEEDS[-1]) > difference:
        least = numbers.found_from(pilot.smallest(SEEDS[-1]), quantity)
        enough = pilot.seeds_for(difference)
        more = f"It takes {enough} seeds, and more with fewer items." if enough else f"Nor can {SEEDS_LOOKED_AT:,}."
        say(to, f"{SEEDS[-1]} seeds can't find {wanted}: with endless items they find {least}. {more}")


def _table_of_designs(rows: Sequence[Row], pilot: Pilot, difference: float) -> Table:
    quantity, exist = rows[0].quantity, known_items(rows)
    table = plain_table()
    add_column(table, "plan_seeds", "seeds", justify="left", min_width=6)
    add_column(table, "plan_floor", "floor", quantity.unit, min_width=8)
    add_column(table, "plan_items", "items", min_width=14)
    add_column(table, "plan_items", "80 % range", min_width=26)
    add_column(table, "plan_time", "time", min_width=10)
    ends = pilot.ends()
    for seeds in SEEDS:
        items = pilot.items_for(difference, seeds)
        # The range has no mark for what the task lacks, which the number before it has.
        low, high = (_items_needed(end.items_for(difference, seeds), None) for end in ends)
        seconds = study_seconds(rows, seeds, items) if items else None
        interval = low if low == high else f"{low} to {high}"
        floor = numbers.found_from(pilot.smallest(seeds), quantity)
        table.add_row(str(seeds), floor, _items_needed(items, exist), interval, duration(seconds))
    return table


def _items_needed(count: int | None, exist: int | None) -> str:
    return NONE if count is None else f"{count:,}{'+' if exist and count > exist else ''}"


def duration(value: float | None) -> str:
    """`45 s`, `12 min`, `3.4 h`; a dash where it is not known."""
    return numbers.MISSING if value is None else lasting(value)

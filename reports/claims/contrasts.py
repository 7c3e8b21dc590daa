"""Two rows held against each other in one respect: what is measured, and how far it lies on a claim's side of its bound."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import fmean

import numpy as np

from bench.statistics.comparison import margin_between
from bench.statistics.estimates import MANY, Estimate
from bench.statistics.intervals import Margin, Z, of_row, pooled
from bench.statistics.ratios import cost_ratio, log_ratio
from reports.claims.evidence import Evidence
from reports.claims.rows import budget_and_seeds, task_and_budget
from reports.rows import frontier, numbers
from reports.rows.equal_cost import Take
from reports.rows.means import Forgotten
from reports.rows.numbers import Quantity
from reports.rows.one_base import on_one_base
from reports.rows.probe_definition import probe_definition
from reports.rows.row import Row
from reports.rows.rows import aggregate
from reports.rows.transfer import Transfer

MOST = 0.9
"""The share of another's gain that counts as most of it."""
NO_MARGIN = Margin(0.0, 0, math.inf, MANY)
"""Of a number of which nothing says how far chance moves it."""


A_HAIR = 1e-12
"""Of a logarithm: more than nothing, and less than anything that is shown."""


def cost_below(one: Row, other: Row, rows: Sequence[Row], take: Take) -> Iterator[Evidence]:
    """A cost that chance moves: the ratio of the means over seeds should lie below 1."""
    mine, theirs = (row.spent(take) for row in (one, other))
    if not mine or not theirs:
        return
    table = [costs for row in rows if row.trains and row.group == one.group and (costs := row.spent(take))]
    value, bounds = cost_ratio(mine, theirs, table)
    logarithm, margin = log_ratio(mine, theirs, table)
    shown = f"{numbers.multiple(value)} {numbers.bracketed(bounds, numbers.multiple)}".rstrip()
    # A ratio below 1 has a negative logarithm, and is on the claim's side.
    yield Evidence(_pair_in_words(one, other), shown, -logarithm, margin or NO_MARGIN, _ratio_in_words, ("a ratio of ", ""))


def count_below(one: Row, others: Row | Sequence[Row], take: Take, bound: float = 1.0) -> Iterator[Evidence]:
    """A cost that is counted: the ratio to another's, or to the sum of several others', should lie at or below the bound."""
    several = [others] if isinstance(others, Row) else list(others)
    mine, theirs = one.spent(take), [fmean(costs) for other in several if (costs := other.spent(take))]
    if not mine or len(theirs) < len(several):
        return
    value = fmean(mine) / sum(theirs)
    rows = (
        _pair_in_words(one, several[0])
        if len(several) == 1
        else f"{one.label} against {len(several)} runs alone ({task_and_budget(one, *several)})"
    )
    # At a bound of one half the claim holds, by a hair; what is as dear as the other is not below it.
    lead = math.log(bound / value) or (A_HAIR if bound < 1 else 0.0)
    yield Evidence(rows, numbers.multiple(value), lead, None)


def higher(one: Row, other: Row, domain: str | None = None) -> Iterator[Evidence]:
    """The score, on the rows' own task or on another domain, should be higher by more than chance."""
    mine, theirs = (row.elsewhere[domain].score if domain else row.score for row in (one, other))
    quantity = one.elsewhere[domain].quantity if domain else one.quantity
    if mine and theirs:
        rows = _pair_in_words(one, other) + (f", on {domain}" if domain else "") + turned(one.higher_is_better)
        yield _difference_evidence(rows, mine, theirs, quantity, 1.0 if one.higher_is_better else -1.0)


def gain_kept(one: Row, other: Row) -> Iterator[Evidence]:
    """The gain over the base in its best words should be nine tenths of the other's, or more.

    One that gains nothing leaves nothing to keep, and should itself be reached: nine tenths of a loss would be better than it.
    """
    if not one.over_best or not other.over_best:
        return
    gained = other.over_best.value > 0
    evidence = _difference_evidence("", one.over_best, other.over_best * (MOST if gained else 1.0), one.quantity)
    share = (
        f"{numbers.percent(one.over_best.value / other.over_best.value)} of its gain"
        if gained
        else f"{other.label} gains nothing"
    )
    measured = f"{evidence.measured} beyond {'nine tenths' if gained else 'it'}"
    yield Evidence(
        f"{_pair_in_words(one, other)}: {share}", measured, evidence.lead, evidence.margin, evidence.write, evidence.around
    )


def less_lost(one: Row, other: Row) -> Iterator[Evidence]:
    """Less of each probe should be lost than the other loses."""
    for name, mine, theirs in _same_probes(one, other):
        yield _difference_evidence(f"{_pair_in_words(one, other)}, {name}", theirs.lost, mine.lost, mine.quantity)


def less_lost_at_equal_gain(one: Row, other: Row) -> Iterator[Evidence]:
    """Less of each probe should be lost where both rows have first gained as much, seed by seed.

    The interval is Student's over seeds, whose variance is taken as alike in both rows. Gains are over one base: see
    reports/rows/one_base.py.
    """
    # Each run's own way is read: a row's is the mean over its seeds, of which no variance is left.
    runs = on_one_base([aggregate([record])[0] for row in (one, other) for record in row.records])
    mine, theirs = runs[: len(one.records)], runs[len(one.records) :]
    if min(len(mine), len(theirs)) < 2 or not all(row.curve and max(p.gain for p in row.curve) > 0 for row in (*mine, *theirs)):
        return
    # One gain for all runs of both rows, so that all are asked about the same place.
    reached = frontier.equal_gain([*mine, *theirs])
    for name, probe, _ in _same_probes(one, other):
        lost = [[_lost_at(row, name, reached) for row in rows] for rows in (mine, theirs)]
        # A mean over the seeds that got there would leave out those that did worst.
        if any(value is None for values in lost for value in values):
            continue
        few, many = ([value for value in values if value is not None] for values in lost)
        spread = pooled([few, many])
        margin = Margin(spread.variance * (1 / len(few) + 1 / len(many)), spread.freedom, 0.0, MANY)
        gained = f"{numbers.difference(reached or 0.0, one.quantity)} {one.quantity.unit} gained"
        compared = f"{_pair_in_words(one, other)}, {name} at {gained}"
        yield _evidence_with_margin(compared, fmean(many) - fmean(few), margin, probe.quantity)


def _same_probes(one: Row, other: Row) -> Iterator[tuple[str, Forgotten, Forgotten]]:
    """Those that asked both rows the same: by name, with what each lost."""
    for name, mine in one.forgetting.items():
        theirs, definitions = other.forgetting.get(name), {probe_definition(row.first, name) for row in (one, other)}
        if theirs and (theirs.quantity, theirs.items) == (mine.quantity, mine.items) and len(definitions) == 1:
            yield name, mine, theirs


def risen(row: Row, transfer: Transfer, slack: float = 0.0) -> Evidence:
    """The mixture's score on a task should not lie more than `slack` below, or should lie above, that of the run alone."""
    # The mixture may have seeds that no run alone has.
    seeds = budget_and_seeds(row, Row(tuple(transfer.runs)))
    rows = f"{row.label} against {transfer.strategy} alone, on {transfer.task} ({seeds}){turned(transfer.higher_is_better)}"
    return _evidence_with_margin(rows, transfer.rise.value, margin_of(transfer.rise), transfer.quantity, slack)


def turned(higher_is_better: bool) -> str:
    """What a reader must know of a difference of scores that are better when they are lower."""
    return "" if higher_is_better else ", turned round: positive is better"


def margin_of(estimate: Estimate) -> Margin:
    """What an estimate's interval is made of; from its bounds where it has no answers."""
    if estimate.answered is not None:
        return of_row(estimate.answered, estimate.spread)
    if estimate.low is None or estimate.high is None:
        return NO_MARGIN
    # Half of it is taken for Z standard errors, as of an interval that is made of one.
    return Margin(0.0, 0, ((estimate.high - estimate.low) / (2 * Z)) ** 2, MANY)


def _difference_evidence(rows: str, mine: Estimate, theirs: Estimate, quantity: Quantity, sign: float = 1.0) -> Evidence:
    return _evidence_with_margin(rows, sign * (mine.value - theirs.value), margin_between(mine, theirs), quantity)


def _evidence_with_margin(rows: str, value: float, margin: Margin, quantity: Quantity, slack: float = 0.0) -> Evidence:
    half = float(margin.half_width())
    write: Callable[[float], str] = partial(numbers.difference, quantity=quantity)
    bounds = numbers.bracketed((value - half, value + half), write) if np.isfinite(half) else ""
    shown = f"{write(value)} {bounds}".rstrip() + f" {quantity.unit}"

    def found(lead: float) -> str:
        return numbers.found_from(lead - slack, quantity, numbers.difference)

    return Evidence(rows, shown, value + slack, margin, found, ("", f" {quantity.unit}"))


def _lost_at(row: Row, probe: str, gain: float | None) -> float | None:
    return None if gain is None else frontier.at_gain(frontier.curve_places(row, probe), gain)


def _ratio_in_words(lead: float) -> str:
    return numbers.multiple(math.exp(-lead))


def _pair_in_words(one: Row, other: Row) -> str:
    return f"{one.label} against {other.label} ({task_and_budget(one, other)})"

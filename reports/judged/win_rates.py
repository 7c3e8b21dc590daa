"""Win rates of rows against each other, of a judge's verdicts, with the intervals and the test of every other number.

A win is 1, a tie .5 and a loss 0; a win rate is their mean over items, and over seeds where the rows have several.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.records.judged import JudgedItem, Said, Winner
from bench.statistics.comparison import holm, mean_margin
from bench.statistics.detectable import detectable
from bench.statistics.intervals import CONFIDENCE, Margin, Spread, Z, limits, of_row, pooled
from bench.statistics.jackknife import Jackknifed, clusters_of
from bench.statistics.probed import of_shares

WORTH: dict[Winner, float] = {"one": 1.0, "tie": 0.5, "other": 0.0}
EVEN = 0.5


@dataclass(frozen=True)
class JudgedRows:
    """Two rows, and what the judge said of them: `one` is the first."""

    labels: tuple[str, str]
    verdicts: Sequence[Sequence[JudgedItem]]
    """Of each seed, its items in the same order."""
    clusters: Sequence[Any]
    runs: tuple[int, int]
    """How many each row has; one of a row that trains nothing."""
    seeded: tuple[bool, bool] = (True, True)
    """Whether another seed would have given each row other answers."""

    @property
    def every(self) -> list[JudgedItem]:
        return [judged for seed in self.verdicts for judged in seed]


@dataclass(frozen=True)
class WinRate:
    """How often the answers of the first of two rows are better."""

    labels: tuple[str, str]
    value: float
    low: float
    high: float
    p: float
    """Of the rate being .5 in truth; Holm's, over all pairs of the table."""
    counts: dict[Winner, int]
    """Won, lost and tied, over all seeds."""
    agreement: float | None
    """The share of what was asked of which both orders say the same; None where nothing was asked."""
    first: float | None
    """Of the replies that name one of the two, the share that names the first place; None where none does."""
    unread: int
    """Replies that could not be read."""
    same: int
    """Items of which nothing was asked, since both answers are the same."""

    @property
    def significant(self) -> bool:
        return self.p <= 1 - CONFIDENCE


@dataclass(frozen=True)
class WinRates:
    """Of all pairs of one table."""

    pairs: Sequence[WinRate]
    items: int
    seeds: int
    """At most."""
    smallest: float | None
    """How far from .5 a true rate must be to be found four times out of five; None where nothing varies."""
    unequal: Sequence[str] = ()
    """What the rows differ in beside the strategy, in sentences."""


def win_rates(judged: Sequence[JudgedRows]) -> WinRates:
    """All pairs of one table, looked at together (Holm)."""
    rates = [_jackknifed_rates(rows) for rows in judged]
    spread = _seed_spread_of_pairs(judged, rates)
    margins = [_margin_of_rate(rows, rate, spread) for rows, rate in zip(judged, rates, strict=True)]
    tested = [_about_even(rate, margin) for rate, margin in zip(rates, margins, strict=True)]
    ps = holm(np.array([_p_about_even(rate, margin) for rate, margin in zip(rates, tested, strict=True)]))
    parts = zip(judged, rates, margins, ps, strict=True)
    seeds = max(len(rows.verdicts) for rows in judged)
    return WinRates([_win_rate(*part) for part in parts], len(judged[0].clusters), seeds, _smallest_rate_found(tested))


def _jackknifed_rates(rows: JudgedRows) -> Jackknifed:
    worth = np.array([[WORTH[judged.verdict] for judged in seed] for seed in rows.verdicts])
    return of_shares(worth, clusters_of(rows.clusters, len(rows.clusters)))


def _seed_spread_of_pairs(judged: Sequence[JudgedRows], rates: Sequence[Jackknifed]) -> Spread:
    """The seed variance of the table's pairs. They share rows: of R rows that all have seeds, R - 1 differences are free."""
    spread = pooled([rate.values.tolist() for rate in rates])
    free = {label: count - 1 for rows in judged for label, count in zip(rows.labels, rows.runs, strict=True)}
    known = sum(free.values()) - min(free.values())
    return replace(spread, freedom=min(spread.freedom, known))


def _margin_of_rate(rows: JudgedRows, rate: Jackknifed, spread: Spread) -> Margin:
    """One run that meets each seed of another row has a seed too, whose variance no mean over the others makes smaller."""
    margin, seeds = of_row(rate, spread), len(rows.verdicts)
    single_run = seeds > 1 and any(runs == 1 and seeded for runs, seeded in zip(rows.runs, rows.seeded, strict=True))
    return replace(margin, seeds=margin.seeds * (1 + seeds)) if single_run else margin


def _mean_rate(rate: Jackknifed) -> float:
    return float(rate.values.mean())


def _about_even(rate: Jackknifed, margin: Margin) -> Margin:
    """With items that vary about .5 and not about the rate, as in McNemar's test: else three wins of three items, which do not
    vary at all, would be beyond doubt."""
    freedom = margin.item_freedom
    if not freedom:  # a single item
        return margin
    return replace(margin, items=(margin.items * freedom + (_mean_rate(rate) - EVEN) ** 2) / (freedom + 1))


def _p_about_even(rate: Jackknifed, margin: Margin) -> float:
    """Whether the rate is .5, by the margin about .5."""
    # A single item says nothing of how others would come out.
    return float(margin.p(_mean_rate(rate) - EVEN)) if margin.item_freedom else 1.0


def _rate_interval(rate: Jackknifed, margin: Margin) -> tuple[float, float]:
    """The interval. Where all items are ties none varies, and it is as wide as other items may make it: Wilson's bound of the
    share that is no tie, all of it won or all of it lost."""
    low, high = limits(_mean_rate(rate), margin, "wilson")
    if high > low:
        return float(low), float(high)
    reach = float(EVEN * Z**2 / (margin.item_freedom + 1 + Z**2))
    return _mean_rate(rate) - reach, _mean_rate(rate) + reach


def _smallest_rate_found(margins: Sequence[Margin]) -> float | None:
    """Of an average pair, by the margins that pairs are tested with: a lopsided pair's own is too narrow for an even one."""
    margin = mean_margin(margins)
    return detectable(margin, len(margins)).value if margin.seeds + margin.items else None


def _win_rate(rows: JudgedRows, rate: Jackknifed, margin: Margin, p: float) -> WinRate:
    verdicts = [judged.verdict for judged in rows.every]
    low, high = _rate_interval(rate, margin)
    # Of two answers that are the same nothing was asked, and there is no reply.
    orders = [(judged.one_first, judged.other_first) for judged in rows.every if judged.one_first and judged.other_first]
    return WinRate(
        labels=rows.labels,
        value=_mean_rate(rate),
        low=low,
        high=high,
        p=float(p),
        counts={winner: verdicts.count(winner) for winner in WORTH},
        agreement=_share_of_true([one.winner is not None and one.winner == other.winner for one, other in orders]),
        first=_share_of_true(_first_places(orders)),
        unread=sum(said.winner is None for order in orders for said in order),
        same=len(verdicts) - len(orders),
    )


def _first_places(orders: Sequence[tuple[Said, Said]]) -> list[bool]:
    """Of each reply that names an answer, whether it stood in the first place."""
    # In the other order `other` stands in the first place.
    forward = [one.winner == "one" for one, _ in orders if one.winner in ("one", "other")]
    return forward + [other.winner == "other" for _, other in orders if other.winner in ("one", "other")]


def _share_of_true(of: Sequence[bool]) -> float | None:
    return sum(of) / len(of) if of else None

"""The frontiers that the page shows: of gain against what a probe lost, and of either against a cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.records.record import Record
from reports.audit.item_columns import Numbers
from reports.audit.item_columns import Path as Place
from reports.rows import frontier
from reports.rows.equal_cost import (
    HELD,
    SPENT,
    comparable_costs,
    frugal_shares,
    sparing_shares,
    with_cost,
    with_gain,
    with_loss,
)
from reports.rows.one_base import on_one_base
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names


@dataclass(frozen=True)
class ShownFrontier:
    """Rows that are held against each other by what they gain and what they pay for it."""

    label: str
    rows: Mapping[str, Sequence[Record]]
    """The runs of each row that has a place, by the row's label."""
    beside: Sequence[Sequence[Record]]
    """Of all rows with a gain, the runs: whether the base scored the same beside all of them says over which base gains are."""
    price: str | Mapping[str, Sequence[float]]
    """The probe that says what was lost, or what each run of each row cost, which no answer tells."""
    numbers: Numbers
    """Whether a row is on the frontier, in what share of draws, and what was lost for each point gained."""
    lost: str | None = None
    """The probe that a cost is held against, where that is not the gain."""


def shown_frontiers(rows: Sequence[Row]) -> Iterator[ShownFrontier]:
    """Of each table: one frontier for each probe, one for each cost, and one of each probe for each cost that is not spent on
    the way."""
    for key, group in grouped(rows).items():
        label, beside = " / ".join(key), [row.records for row in group if row.gain]
        rebased = on_one_base(group)
        for probe in probe_names(group):
            placed = {row.label: row.records for row, _, _ in frontier.with_place(rebased, probe)}
            if placed:
                yield ShownFrontier(f"{label} / {probe}", placed, beside, probe, dict(_probe_frontier_numbers(rebased, probe)))
        # Rows that train nothing pay nothing, and the base that gains are over is chosen without them.
        gaining = with_gain(group)
        paying = on_one_base(gaining)
        for term, take in comparable_costs(gaining, SPENT | HELD).items():
            numbers: Numbers = {("frugal", name): share for name, share in frugal_shares(paying, take).items()}
            if numbers:
                costs = {row.label: each for row, _, each in with_cost(paying, take)}
                placed = {row.label: row.records for row, _, _ in with_cost(paying, take)}
                yield ShownFrontier(f"{label} / {term}", placed, [row.records for row in gaining], costs, numbers)
        yield from _sparing_frontiers(label, paying)


def _sparing_frontiers(label: str, paying: Sequence[Row]) -> Iterator[ShownFrontier]:
    for probe in probe_names(paying):
        for term, take in comparable_costs(paying, HELD).items():
            numbers: Numbers = {("sparing", name): share for name, share in sparing_shares(paying, take, probe).items()}
            if numbers:
                losing = with_loss(paying, take, probe)
                costs = {row.label: each for row, _, each in losing}
                placed = {row.label: row.records for row, _, _ in losing}
                yield ShownFrontier(f"{label} / {probe} / {term}", placed, list(placed.values()), costs, numbers, lost=probe)


def _probe_frontier_numbers(rows: Sequence[Row], probe: str) -> Iterator[tuple[Place, float]]:
    best = {row.label for row in frontier.of_rows(rows, probe)}
    yield from ((("frontier", row.label), float(row.label in best)) for row, _, _ in frontier.with_place(rows, probe))
    yield from ((("frontier_share", label), share) for label, share in frontier.frontier_shares(rows, probe).items())
    reached = frontier.equal_gain(rows)
    for row in rows:
        if probe in row.forgetting and (price := frontier.per_gained(row, probe)) is not None:
            yield ("per_gain", row.label), price
        # It is told by name that this was not made again: validation answers are not kept.
        if reached and (lost := frontier.at_gain(frontier.curve_places(row, probe), reached)) is not None:
            yield ("at_equal_gain", row.label), lost

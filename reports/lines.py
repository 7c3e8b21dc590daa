"""Plain lines below a group's table in the terminal: what its columns have no place for, one fact a line."""

from collections.abc import Callable, Iterator, Sequence

from reports import numbers
from reports.means import Away
from reports.provenance import stopping
from reports.rows import Row

NAMES = 3
"""Other tasks and domains on a line, which then mostly fits in 100 columns."""


def below(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of one group's rows, by what they are about and then in the order of the rows."""
    facts: list[Callable[[Row], Iterator[str]]] = [
        _trained,
        _malformed,
        _stopped,
        _elsewhere,
        _transfer,
        _wordings,
        _money,
        _doubts,
    ]
    for fact in facts:
        for row in rows:
            yield from fact(row)


def _trained(row: Row) -> Iterator[str]:
    cost, part = row.cost, row.trained_share
    if cost and part is not None and 0 < part < 1:
        sizes = f"{numbers.count(cost.trainable_parameters)} of {numbers.count(cost.total_parameters)}"
        yield f"{row.label}: trainable parameters {sizes} ({100 * part:.2f} %)"


def _malformed(row: Row) -> Iterator[str]:
    found = row.metrics.get("malformed")
    if found and found.value.value > 0:
        yield f"{row.label}: malformed answers {numbers.rate(found.value.value)}"


def _stopped(row: Row) -> Iterator[str]:
    for run in row.records:
        if found := stopping(run):
            place = f"validation {found.kept + 1} of {len(found.scores)} ({found.scores[found.kept]})"
            yield f"{row.label} (seed {run.seed}): early stopping kept {place}"


def _elsewhere(row: Row) -> Iterator[str]:
    by_items: dict[int, list[str]] = {}
    for name, away in row.elsewhere.items():
        by_items.setdefault(away.items, []).append(f"{name} {_gained(away)}")
    for count, told in by_items.items():
        for start in range(0, len(told), NAMES):
            yield f"{row.label}: {', '.join(told[start : start + NAMES])} over {numbers.items([count])}"


def _gained(away: Away) -> str:
    gain = numbers.difference(away.gain.value, away.measure)
    return f"{numbers.level(away.score.value, away.measure)} ({gain} {away.measure.unit})"


def _transfer(row: Row) -> Iterator[str]:
    for found in row.transfers:
        rise = f"{numbers.difference(found.rise.value, found.measure)} {found.measure.unit}"
        interval = numbers.bounds(found.rise, found.measure, signed=True)
        against = f"{found.alone_as(row.first.suite, len(row.records))} alone over {numbers.items([found.items])}"
        yield f"{row.label}: transfer to {found.task} {' '.join(filter(None, [rise, interval]))} against {against}"


def _wordings(row: Row) -> Iterator[str]:
    if found := row.wordings:
        low, high = (numbers.level(end, found.measure) for end in (found.low, found.high))
        spread = f"{numbers.span(found.spread, found.measure)} {found.measure.unit}"
        yield f"{row.label}: unseen wordings {low} to {high}, spread {spread} over {numbers.items([found.items])}"


def _money(row: Row) -> Iterator[str]:
    if row.cost and row.cost.money is not None:
        yield f"{row.label}: the API asks {numbers.money(row.cost.money)}, in the currency of its prices"


def _doubts(row: Row) -> Iterator[str]:
    for fault in row.faults:
        yield f"{row.label}: the check {fault} does not hold; don't trust this row"
    if row.status != "ok":
        yield f"{row.label} (seed {row.seeds}) {row.status}: {row.reason}"

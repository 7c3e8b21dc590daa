"""The page's tables on forgetting: what the wide table's numbers amount to."""

from collections.abc import Callable, Mapping, Sequence

from reports.boards.cells import (
    EMPTY,
    STRATEGY,
    Board,
    Cell,
    Column,
    Section,
    difference_cell,
    rank_cell,
    sortable,
    without_empty,
)
from reports.rows import frontier, numbers
from reports.rows.captions import forgetting_sentences, ranks_of_models
from reports.rows.means import Forgotten
from reports.rows.numbers import Quantity
from reports.rows.one_base import BEST_WORDS, on_one_base, one_base
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names
from reports.rows.standing import Standing, forgetting_standings
from reports.rows.verdicts import verdict_word

OfProbe = Callable[[Row, Forgotten], Cell]
SHARE_RIGHT = Quantity("accuracy", share=True)
OTHERS = 3
"""Further numbers of a probe that are shown one by one; of more, such as a model's layers, the one that moved most."""


def forgetting_section(rows: Sequence[Row]) -> Section:
    """A table per model and task; a column that has nothing to show is not there."""
    groups = {f"{model} on {task}": group for (_, model, task), group in grouped(rows).items()}
    standings = {title: forgetting_standings(group) for title, group in groups.items()}
    shown_groups = {title: group for title, group in groups.items() if any(map(_has_forgetting_line, group))}
    # Rows that train nothing have no line, and yet they compete on the frontier.
    tables = [(title, _forgetting_board(on_one_base(group), standings[title])) for title, group in shown_groups.items()]
    bases = [f"{title}: {BEST_WORDS}" for title, group in shown_groups.items() if not one_base(group)]
    terms = ("relative_forgetting", "verdict", "per_gain", "at_equal_gain", "frontier")
    # Who forgot least of each probe, and how small a difference between two rows' forgetting it would have shown.
    found = [
        f"{probe} ({title}): {sentence}"
        for title, of_probes in standings.items()
        for probe, standing in of_probes.items()
        for sentence in forgetting_sentences(standing)
    ]
    found += ranks_of_models(standing for of_probes in standings.values() for standing in of_probes.values())
    return Section("Forgetting", tables, ["Rows that train nothing forget nothing and have no line.", *bases, *found], terms)


def _forgetting_board(rows: Sequence[Row], standings: Mapping[str, Standing]) -> Board:
    relative = Column("relative_forgetting", "All probes", "relative, %", "ascending", True, _relative_forgetting_cell)
    columns = [
        column
        for probe, quantity in probe_names(rows).items()
        for column in _probe_columns(rows, probe, quantity, standings.get(probe))
    ]
    return without_empty([STRATEGY, relative, *columns], [row for row in rows if _has_forgetting_line(row)])


def _has_forgetting_line(row: Row) -> bool:
    return row.trains and bool(row.forgetting)


def _probe_columns(rows: Sequence[Row], probe: str, quantity: Quantity, standing: Standing | None) -> list[Column]:
    gain = next((row.quantity for row in rows if row.gain), Quantity("", share=False))
    # Rows are known by the object: to compare two of them is to compare all of their records.
    reached, best = frontier.equal_gain(rows), {id(row) for row in frontier.of_rows(rows, probe)}
    shares = frontier.frontier_shares(rows, probe)
    at = f"at {numbers.difference(reached, gain)} {gain.unit}" if reached else ""
    standings = [standing] if standing else []

    def column(term: str, unit: str, part: OfProbe, numeric: bool = True) -> Column:
        def cell(row: Row) -> Cell:
            forgotten = row.forgetting.get(probe)
            return part(row, forgotten) if forgotten else EMPTY

        return Column(term, probe, unit, "ascending", numeric, cell)

    def on_frontier(row: Row, forgotten: Forgotten) -> Cell:
        """Of gain and forgetting: nothing where no gain is known."""
        return _frontier_cell(id(row) in best, shares.get(row.label)) if row.gain else EMPTY

    return [
        column("rank", "least first", lambda row, forgotten: rank_cell(row, standings)),
        column("verdict", "", lambda row, forgotten: _word_cell(verdict_word(forgotten.lost)), numeric=False),
        column("frontier", "", on_frontier, numeric=False),
        column("per_gain", _price_unit(quantity, gain), lambda row, forgotten: _price_cell(row, probe)),
        column(
            "at_equal_gain", f"{quantity.unit}, {at}", lambda row, forgotten: _loss_at_gain_cell(row, probe, quantity, reached)
        ),
        column(
            "rounding",
            quantity.unit,
            lambda row, forgotten: difference_cell(forgotten.rounding, quantity) if forgotten.rounding else EMPTY,
        ),
        column("accuracy_lost", SHARE_RIGHT.unit, lambda row, forgotten: _accuracy_lost_cell(forgotten)),
        column("smallest", quantity.unit, lambda row, forgotten: _smallest_loss_cell(forgotten)),
        column("contaminated", "items", lambda row, forgotten: _contaminated_cell(forgotten)),
        column("besides", "before → after", lambda row, forgotten: _other_numbers_cell(forgotten), numeric=False),
    ]


def _price_unit(quantity: Quantity, gain: Quantity) -> str:
    """`nats per token for each point`"""
    return f"{quantity.unit} for each {'point' if gain.share else gain.unit} gained"


def _word_cell(text: str | None) -> Cell:
    return Cell(text, text) if text else EMPTY


def _frontier_cell(now: bool, share: float | None) -> Cell:
    yes_or_no = "yes" if now else "no"
    return Cell(yes_or_no, yes_or_no, detail=f"in {100 * share:.0f} % of draws" if share is not None else "")


def _relative_forgetting_cell(row: Row) -> Cell:
    share = row.relative_forgetting_share
    return EMPTY if share is None else difference_cell(share, numbers.RELATIVE_FORGETTING)


def _price_cell(row: Row, probe: str) -> Cell:
    price = frontier.per_gained(row, probe)
    return EMPTY if price is None else Cell(numbers.quotient(price), sortable(price))


def _loss_at_gain_cell(row: Row, probe: str, quantity: Quantity, gain: float | None) -> Cell:
    lost = frontier.at_gain(frontier.curve_places(row, probe), gain) if gain else None
    return EMPTY if lost is None else Cell(numbers.difference(lost, quantity), sortable(lost))


def _smallest_loss_cell(forgotten: Forgotten) -> Cell:
    value = forgotten.smallest
    return EMPTY if value is None else Cell(numbers.span(value, forgotten.quantity), sortable(value))


def _accuracy_lost_cell(forgotten: Forgotten) -> Cell:
    lost = forgotten.accuracy_lost
    return EMPTY if lost is None else difference_cell(lost, SHARE_RIGHT)


def _contaminated_cell(forgotten: Forgotten) -> Cell:
    items = forgotten.contaminated
    return Cell(f"{items:,} of {forgotten.items:,}", items) if items else EMPTY


def _other_numbers_cell(forgotten: Forgotten) -> Cell:
    # A model's layers are too many to read, and the one that moved most says how far they did.
    moved = sorted(forgotten.others.items(), key=lambda part: -abs(part[1].after - part[1].before))
    if not moved:
        return EMPTY
    shown_numbers = list(forgotten.others.items()) if len(moved) <= OTHERS else moved[:1]
    text = "; ".join(f"{name} {pair.before:.3f} → {pair.after:.3f}" for name, pair in shown_numbers)
    return Cell(text, text, detail="" if len(moved) <= OTHERS else f"moved most of {len(moved)}")

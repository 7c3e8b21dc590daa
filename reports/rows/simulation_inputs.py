"""Tables of records as what simulated tables are drawn from: the answers of the rows that train."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.statistics.arrays import Floats
from bench.statistics.likeness import Likeness
from bench.statistics.simulated import likeness_of_counts
from bench.statistics.simulated_values import likeness_of_values
from reports.rows.answers import drawable_answers, drawable_likelihoods, drawable_probe
from reports.rows.means import Items
from reports.rows.numbers import Quantity
from reports.rows.row import Row
from reports.rows.rows import probe_names
from reports.rows.run_items import RunItems
from reports.rows.standing import Standing, forgetting_standing, score_standing, that_learned


def likeness_of(rows: Sequence[Row], out: Path) -> Likeness | str:
    """Of one suite's, model's and task's rows that train, with as many seeds as each of them has; or why there is none."""
    learned = that_learned(rows)
    seeds = _fewest_seeds(learned)
    if seeds < 2:
        return "nothing is known of seeds: run it with --seeds 2 or more" if seeds else "no row trains"
    quantity, task = learned[0].quantity, learned[0].setup.task

    def drawn_from(items: Items) -> Likeness | None:
        return _of_answers(items, task, quantity.name, seeds)

    found = _of_rows(learned, out, seeds, drawn_from)
    if found is None:
        return _why_not_drawn(learned, out, seeds, drawn_from, quantity.name)
    # What runs from 0 to 100 is drawn as a share, whose differences are points too.
    in_own_unit = not quantity.share and found.scale == "plain"
    return _as_printed(found, learned, score_standing(rows), quantity, 1 if quantity.share or in_own_unit else 100)


def probe_likenesses(rows: Sequence[Row], out: Path) -> Iterator[tuple[str, Likeness | str]]:
    """The same of what each probe gave after training, by which rows are held against each other in what they forgot."""
    learned = that_learned(rows)
    seeds = _fewest_seeds(learned)
    if seeds < 2:
        return
    for probe in probe_names(learned):
        with_probe = [row for row in learned if probe in row.forgetting]
        lost = with_probe[0].forgetting[probe]

        def drawn_from(items: Items, probe: str = probe, name: str = lost.quantity.name) -> Likeness | None:
            found = drawable_probe(items, probe, name)
            return found and likeness_of_values(_by_row(found[0], seeds), found[1], found[2])

        # A distance from the base has no interval, and no places by it.
        if lost.lost.low is not None:
            found = _of_rows(with_probe, out, seeds, drawn_from)
            yield (
                probe,
                (
                    _why_not_drawn(with_probe, out, seeds, drawn_from, probe)
                    if found is None
                    else _as_printed(found, with_probe, forgetting_standing(rows, probe), lost.quantity, 1)
                ),
            )


def _fewest_seeds(rows: Sequence[Row]) -> int:
    return min((len(row.records) for row in rows), default=0)


def _of_answers(items: Items, task: str, name: str, seeds: int) -> Likeness | None:
    if counted := drawable_answers(items, task, name):
        return likeness_of_counts(_by_row(counted[0], seeds), counted[1], counted[2])
    valued = drawable_likelihoods(items, task, name)
    return valued and likeness_of_values(_by_row(valued[0], seeds), valued[1], valued[2])


def _by_row(runs: Floats, seeds: int) -> Floats:
    """(runs, ...) as (rows, seeds, ...)."""
    return runs.reshape(-1, seeds, *runs.shape[1:])


def _of_rows(rows: Sequence[Row], out: Path, seeds: int, drawn_from: Callable[[Items], Likeness | None]) -> Likeness | None:
    return drawn_from([each for row in rows for each in _items_of(row, out, seeds)])


def _items_of(row: Row, out: Path, seeds: int) -> Items:
    # Drawn tables have as many seeds in each row: of those that have more the first are taken.
    return [RunItems.of_run(out, run) for run in row.records[:seeds]]


def _as_printed(
    found: Likeness, learned: Sequence[Row], standing: Standing | None, quantity: Quantity, whole: float
) -> Likeness:
    """With what the real table says of the differences that it can find; a number is `whole` times the drawn one."""
    unit = "points" if quantity.share or whole != 1 else quantity.unit
    known = replace(found, share_of_items=quantity.share_of_items, unit=unit)
    if standing is None:
        return known
    seeds = found.seeds
    alike = standing.alike == {row.first.run_id for row in learned} and all(len(row.records) == seeds for row in learned)
    # Where seeds vary less than their own answers alone would make them, the printed one is too small by chance, and no tables
    # can be drawn whose seeds vary so little.
    printed = standing.detectable.value / whole if standing.detectable and alike and found.sd else None
    return replace(known, family=len(standing.pairs), printed=printed)


def _why_not_drawn(
    rows: Sequence[Row], out: Path, seeds: int, drawn_from: Callable[[Items], Likeness | None], name: str
) -> str:
    for row in rows:
        if drawn_from(_items_of(row, out, seeds)) is None:
            return f"{row.label} has no answers from which other values of {name} could be drawn"
    # How alike rows answer an item is drawn too, and nobody knows it of other items.
    return "its rows were asked different items"

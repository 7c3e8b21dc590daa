"""How the rows of one column stand: the places that each may have, which of them none surpasses, and how small a difference
between two of them the column would have shown.

All pairs of the column's rows are looked at together (Holm). Rows of one suite, model and task are compared, on the items that
they all answered.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.statistics.comparison import Difference, beats, mean_margin, pairs, ranks, top_group
from bench.statistics.detectable import Detectable, detectable
from bench.statistics.estimates import Estimate, share_of_rows
from bench.statistics.intervals import CONFIDENCE, FEW_SEEDS
from bench.statistics.variances import louder
from reports.rows.no_model_rows import NO_MODEL
from reports.rows.numbers import Quantity
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names

ALL_PAIRS = 40
"""Rows of a table whose differences are all told."""
Places = tuple[int, int]
"""The best and the worst place, 1 the first, at which a row may stand."""


@dataclass(frozen=True)
class Standing:
    """Of one column's rows; nothing where there are not two of them."""

    places: Mapping[str, Places]
    """Run id of each row's first record -> its places."""
    top: Sequence[str]
    """Labels of the rows than which none is better by more than chance."""
    pairs: Sequence[Difference]
    better: npt.NDArray[np.bool_]
    """(rows, rows), in the order of `places`: whether one row is better than another by more than chance."""
    quantity: Quantity
    detectable: Detectable | None
    """Of an average pair of the rows that vary alike; None where nothing varies, or nothing is known.

    Of paired ones; where there are none, of those by intervals over items alone."""
    alike: Collection[str]
    """Run id of the first record of each of those rows."""
    between: str
    """Which rows those are, in words; empty where they are all."""
    loud: Mapping[str, float]
    """Labels of rows whose seeds vary farther than the others' by more than chance, and how many times as far: such a row is
    told apart from its equals too often."""
    seeded: bool
    """Whether the rows hold other seeds, or depend on none, and are not these trained models alone."""

    def of(self, row: Row) -> Places | None:
        """None where the row takes no place: it has no number, or no model."""
        return None if row.setup.model == NO_MODEL else self.places.get(row.first.run_id)

    @property
    def told_pairs(self) -> list[Difference]:
        """Those that a reader gets to see: in a large table those of the first row alone."""
        return [pair for pair in self.pairs if len(self.places) <= ALL_PAIRS or pair.one == 0]

    @property
    def unpaired(self) -> int:
        """Pairs that are compared by their intervals alone."""
        return sum(not pair.paired for pair in self.pairs)


def score_standing(rows: Sequence[Row]) -> Standing | None:
    """Of the score of one suite's, model's and task's rows; None where fewer than two have one with an interval."""
    # Without an interval nothing is known of differences, and no place would be more than the number's own.
    placed = [(row, row.score) for row in rows if row.score and row.score.low is not None and row.setup.model != NO_MODEL]
    if len(placed) < 2:
        return None
    first, _ = placed[0]  # a row that failed does not know what its score would have been
    # A task whose YAML got another first metric in between has scores without an order.
    if any(row.quantity != first.quantity for row, _ in placed):
        return None
    return _standing_of_placed(placed, first.quantity, first.higher_is_better)


def forgetting_standing(rows: Sequence[Row], probe: str) -> Standing | None:
    """Of what a probe lost in the rows that train: less is better; None where fewer than two have lost it by a number with an
    interval."""
    lost = [(row, row.forgetting[probe]) for row in rows if row.trains and probe in row.forgetting]
    # As with scores: of a distance from the base, or of somebody else's loss, nothing is known of differences.
    lost = [(row, part) for row, part in lost if part.lost.low is not None]
    # Losses in two units have no order.
    if len(lost) < 2 or any(part.quantity != lost[0][1].quantity for _, part in lost):
        return None
    return _standing_of_placed([(row, part.lost) for row, part in lost], lost[0][1].quantity, False)


def forgetting_standings(rows: Sequence[Row]) -> dict[str, Standing]:
    """Of each probe that at least two rows which train have lost something of, or gained, by a number with an interval."""
    return {probe: standing for probe in probe_names(rows) if (standing := forgetting_standing(rows, probe))}


def score_places(rows: Sequence[Row]) -> dict[str, Places]:
    """Run id of each record of these rows -> the places of its row, each table by itself."""
    places_by_run: dict[str, Places] = {}
    for group in grouped(rows).values():
        if standing := score_standing(group):
            places_by_run |= {record.run_id: place for row in group if (place := standing.of(row)) for record in row.records}
    return places_by_run


def shown(places: Places | None) -> str:
    """`1-3`, `2`, or nothing."""
    return "" if places is None else "-".join(map(str, dict.fromkeys(places)))


def _standing_of_placed(placed: Sequence[tuple[Row, Estimate]], quantity: Quantity, higher: bool) -> Standing:
    rows, estimates = [row for row, _ in placed], [estimate for _, estimate in placed]
    differences = pairs(estimates)
    better = beats(len(rows), differences, higher)
    places = ranks(len(rows), better)
    alike, between = _rows_varying_alike(rows)
    return Standing(
        places={row.first.run_id: place for row, place in zip(rows, places, strict=True)},
        top=[rows[index].label for index in top_group(places)],
        pairs=differences,
        better=better,
        quantity=quantity,
        detectable=_smallest_detectable(alike, estimates, differences),
        alike={rows[index].first.run_id for index in alike},
        between=between,
        loud=_loud_rows(rows, estimates, alike),
        seeded=all(estimate.basis != "items" or row.seedless for row, estimate in placed),
    )


def _rows_varying_alike(rows: Sequence[Row]) -> tuple[Sequence[int], str]:
    """Places in the list of rows that vary alike, at least two, and what they are where others are left out.

    A row that trains nothing has no seeds to vary with. One that collapsed in all its runs hardly varies at all: two of them
    answer alike, so that with them a table would seem to show differences which it can't. One that collapsed in some varies by
    far more than the others.
    """
    everything = range(len(rows))
    sound = [index for index in everything if not rows[index].collapsed]
    training = [index for index in everything if rows[index].trains]
    trained_well = [index for index in training if index in sound]
    fallen = "have not collapsed"
    for alike, words in (
        (trained_well, "train" if trained_well == training else f"train and {fallen}"),
        (sound, fallen),
        (training, "train"),
    ):
        if len(alike) > 1:
            return alike, "" if len(alike) == len(rows) else f"rows that {words}"
    return everything, ""


def _loud_rows(rows: Sequence[Row], estimates: Sequence[Estimate], alike: Sequence[int]) -> dict[str, float]:
    """Of the rows that are held against others by the table's seed variance."""
    known = [index for index in alike if estimates[index].runs > 1 and rows[index].trains]
    variances = [(estimates[index].seed_sd or 0.0) ** 2 for index in known]
    found = louder(variances, [estimates[index].runs - 1 for index in known], 1 - CONFIDENCE)
    return {rows[known[at]].label: times for at, times in found.items() if estimates[known[at]].runs <= FEW_SEEDS}


def that_learned(rows: Sequence[Row]) -> list[Row]:
    """The scored rows that train, without those of which a run collapsed if two others are left: what a larger study is planned
    and simulated by."""
    trained_rows = [row for row in rows if row.trains and row.score]
    sound = [row for row in trained_rows if not row.collapsed]
    return sound if len(sound) > 1 else trained_rows


def _smallest_detectable(
    alike: Sequence[int], estimates: Sequence[Estimate], differences: Sequence[Difference]
) -> Detectable | None:
    among = [pair for pair in differences if pair.one in alike and pair.other in alike]
    told = [pair for pair in among if pair.paired] or _by_items_alone(among, estimates)
    if not told:
        return None
    margin = mean_margin([pair.margin for pair in told])
    if not margin.seeds + margin.items + margin.other_seeds:
        return None
    # A pair of many seeds is tested by its own variance, and the mean of all pairs' is known better than that.
    freedom = sum(estimates[index].runs - 1 for index in {place for pair in told for place in (pair.one, pair.other)})
    # Rows that are held by their intervals bring each its own variance along.
    share = share_of_rows([estimates[index] for index in alike]) if told[0].paired else None
    # The correction is for all pairs of the column, whichever pair the difference is told of.
    return detectable(margin, len(differences), share, known=freedom)


def _by_items_alone(unpaired: Sequence[Difference], estimates: Sequence[Estimate]) -> Sequence[Difference]:
    """These pairs if the intervals that they are made of all hold items and nothing else, as those of imported rows do; else
    none: of a margin made of intervals over seeds too, nobody knows what seeds and items add to it."""
    rows = [estimates[place] for pair in unpaired for place in (pair.one, pair.other)]
    return unpaired if all(row.basis == "items" and row.low is not None for row in rows) else []

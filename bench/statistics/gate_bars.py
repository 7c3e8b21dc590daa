"""Whether verdicts on changes hold in comparisons whose truth is known: false alarms, falls caught, and false sameness.

A comparison is drawn in the likeness of a real table (simulated.py): its rows twice, with other seeds, on the same items. They
are the same strategies, or one of them was lowered by a known amount. What is said is said by the code of `tunebench compare`.
"""

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from bench.statistics.arrays import Floats
from bench.statistics.bars import StatisticalBar, dealt_out, drawn_tables, mean_over_items, planted_ends, share_of
from bench.statistics.change import change_verdicts
from bench.statistics.detectable import detectable
from bench.statistics.intervals import Margin, of_pair
from bench.statistics.likeness import DrawnTables, Likeness, Tables

PILOT = 200
"""Comparisons without a change, of which the mean variance over items is taken."""


def gate_bars(of: Likeness, within: float, comparisons: int, seed: int) -> Iterator[StatisticalBar]:
    """The three bars of one table, each with numbers of its own from the seed; nobody minds `within`."""
    generator = np.random.default_rng(seed)
    yield no_alarm(of, within, comparisons, generator)
    if bar := caught(of, within, comparisons, generator):
        yield bar
    yield from false_sameness(of, within, comparisons, generator)


def no_alarm(of: Likeness, within: float, comparisons: int, generator: np.random.Generator) -> StatisticalBar:
    """No change but other seeds: how often anything is called worse."""
    alarms = [(verdicts == "worse").any(-1) for verdicts in _drawn_verdicts(of, {}, within, comparisons, generator)]
    return StatisticalBar("compare: no change, an alarm", share_of(alarms), 0.0, 0.05)


def caught(of: Likeness, within: float, comparisons: int, generator: np.random.Generator) -> StatisticalBar | None:
    """One row after the other falls by the smallest change that a comparison finds: how often it is called worse. None where
    even the worst answers let no row fall by so much."""
    every = smallest_falls(of, within, generator)
    # A score can't fall further than to that of the worst answers.
    able = [row for row, fall in enumerate(every) if fall < of.truths[row] - of.lowest]
    if not able:
        return None
    falls = {row: every[row] for row in able}
    detections = [
        verdicts[:, row] == "worse"
        for row, part in zip(able, dealt_out(comparisons, len(able)), strict=True)
        for verdicts in _drawn_verdicts(of, {row: falls[row]}, within, part, generator)
    ]
    size = of.in_words(*dict.fromkeys((min(falls.values()), max(falls.values()))))
    return StatisticalBar(f"compare: a fall of {size}, caught", share_of(detections), *planted_ends(of.items))


def false_sameness(of: Likeness, within: float, comparisons: int, generator: np.random.Generator) -> Iterator[StatisticalBar]:
    """One row after the other falls or rises by what nobody minds, and by as much as is found: how often that is the same.

    With seeds and items that tell little, nothing is ever the same within a small margin; a margin as large as the smallest
    fall that is found is one at which sameness is often shown, and so a harder test. Of endless comparisons at most .05 may be
    wrong; the bar leaves .01 to chance.
    """
    for margin in (within, max(smallest_falls(of, 0.0, generator))):
        rows, sameness = of.rows, []
        for row, part in zip(range(rows), dealt_out(comparisons, rows), strict=True):
            # Either direction can be called the same by mistake.
            for change in (margin, -margin):
                # The changed row's score has to stay between those of the worst answers and of the best.
                room = change + of.lowest < of.truths[row] < change + of.highest
                for verdicts in _drawn_verdicts(of, {row: change}, margin, part // 2, generator) if room else ():
                    sameness.append(verdicts[:, row] == "same")
        name = f"compare: changed by {of.in_words(margin)}, the same within them"
        if sameness:  # else no row has room for such a change, and nothing was seen
            yield StatisticalBar(name, share_of(sameness), 0.0, 0.06)


def smallest_falls(of: Likeness, within: float, generator: np.random.Generator) -> list[float]:
    """Of each row, the smallest fall that is found four times out of five: over seeds from the known variance, over items from
    the mean of comparisons without a change."""
    rows = of.rows
    drawn = [
        each
        for tables in drawn_tables(_rows_now_and_before(of, {}), PILOT, generator)
        for each in _changes_of_rows(tables, rows)
    ]
    own = of.own / of.items
    falls = []
    for row in range(rows):
        items, freedom = mean_over_items([margin for _, margin in drawn[row::rows]])
        # As for the planted difference, the likeness knows this variance better than drawn comparisons do.
        seeds = 2 * (of.sd**2 + float(own[row])) / of.seeds
        margin = Margin(seeds, float(drawn[row][1].seed_freedom), items, freedom)
        falls.append(detectable(margin, rows, of.share(float(of.truths[row])), within, falls=True).value)
    return falls


def _rows_now_and_before(of: Likeness, falls: dict[int, float]) -> Tables:
    """The rows now, of which some have fallen, and the rows before."""
    rows, truths = range(of.rows), of.truths
    now = [float(truths[row]) - falls.get(row, 0.0) for row in rows]
    return Tables(of.of([*rows, *rows], [*now, *map(float, truths)]) if falls else of.of([*rows, *rows]), of.seeds)


def _drawn_verdicts(
    of: Likeness, falls: dict[int, float], within: float, comparisons: int, generator: np.random.Generator
) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.str_]]]:
    """Verdicts of all rows, (comparisons, rows)."""
    for drawn in drawn_tables(_rows_now_and_before(of, falls), comparisons, generator):
        changes = _changes_of_rows(drawn, of.rows)
        rises = np.stack([value for value, _ in changes], axis=-1)
        parts = {
            # What all comparisons have alike, such as degrees of freedom, is one number beside arrays.
            field.name: [np.broadcast_to(getattr(m, field.name), rises.shape[:-1]) for _, m in changes]
            for field in fields(Margin)
        }
        margin = Margin(**{name: np.stack(part, axis=-1) for name, part in parts.items()})
        yield change_verdicts(rises, margin, within, float(of.share_of_items)).verdicts


def _changes_of_rows(drawn: DrawnTables, rows: int) -> list[tuple[Floats, Margin]]:
    """Each row now minus itself before, with what that varies by, in all the comparisons."""
    pairs = [(drawn.rows.row(row), drawn.rows.row(rows + row)) for row in range(rows)]
    return [(now.values.mean(-1) - then.values.mean(-1), of_pair(now, then, drawn.spread)) for now, then in pairs]

"""Whether what a table says holds in tables whose truth is known: its winners, its smallest difference, intervals and ranks.

Each bar draws tables in the likeness of a real one (simulated.py) and counts. The bars are those of the project.
They leave room for chance: a share of .05 that is counted in 2,000 tables has a standard error of .005.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from bench.statistics.arrays import Floats
from bench.statistics.detectable import detectable, toward_middle
from bench.statistics.intervals import Margin, Spread, limits, of_pair, of_row, rise_over
from bench.statistics.likeness import DrawnTables, Likeness, Tables
from bench.statistics.power import LEVEL

EQUAL_ROWS = 5
FEW_ITEMS = 300


@dataclass(frozen=True)
class StatisticalBar:
    """A share of simulated tables, and between what it has to lie."""

    name: str
    share: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        return self.low <= self.share <= self.high


def bars(of: Likeness, tables: int, seed: int) -> Iterator[StatisticalBar]:
    """All bars of one table, each with numbers of its own from the seed."""
    generator = np.random.default_rng(seed)
    # Two and three seeds are where intervals are most easily too narrow, however many the table has.
    for seeds in sorted({2, 3, of.seeds}):
        yield same_strategy_twice(of, seeds, tables, generator)
    if of.rows > 1 and (bar := planted(of, tables, generator)):
        yield bar
    yield from coverage(of, tables, generator)
    yield equal_strategies(of, tables, generator)


def same_strategy_twice(of: Likeness, seeds: int, tables: int, generator: np.random.Generator) -> StatisticalBar:
    """A/A: one strategy under two names, each of the table's in turn; how often one of the two wins."""
    rows = of.rows
    wins = [
        _which_pairs_differ(drawn, 1)[:, 0]
        for row, part in zip(range(rows), dealt_out(tables, rows), strict=True)
        for drawn in drawn_tables(Tables(of.of([row, row]), seeds), part, generator)
    ]
    return StatisticalBar(f"A/A, {seeds} seeds: a winner between two names of one strategy", share_of(wins), 0.0, 0.07)


def equal_strategies(of: Likeness, tables: int, generator: np.random.Generator) -> StatisticalBar:
    """Ranks: five strategies, the table's in turn, shifted to one score; how often any two are separated."""
    rows = [row % of.rows for row in range(EQUAL_ROWS)]
    equal = Tables(of.of(rows, [float(of.truths.mean())] * EQUAL_ROWS), of.seeds)
    pairs = EQUAL_ROWS * (EQUAL_ROWS - 1) // 2
    # Holm's first step: nothing is found unless the smallest p is at most .05 / pairs.
    separations = [np.asarray(_which_pairs_differ(drawn, pairs).any(-1)) for drawn in drawn_tables(equal, tables, generator)]
    return StatisticalBar(f"ranks: any separation among {EQUAL_ROWS} equal strategies", share_of(separations), 0.0, 0.07)


def planted(of: Likeness, tables: int, generator: np.random.Generator) -> StatisticalBar | None:
    """The smallest detectable difference, given to one row after the other: the one that the table prints, or where that is not
    of such tables the one of the likeness's own components. None where even the worst answers lower no row by so much, or of
    scores below one half the best raise none."""
    rows = of.rows
    equal = of.of(range(rows), [float(of.truths.mean())] * rows)
    difference = of.printed if of.printed is not None else _planted_difference(equal, generator)
    score = float(equal.truths.mean())
    room = of.highest - score if toward_middle(equal.mean_share) > 0 else score - of.lowest
    if difference >= room:
        return None
    share = planted_share(equal, difference, of.items, tables, generator)
    whose = "that is printed" if of.printed is not None else "of such tables"
    name = f"planted: {of.in_words(difference)}, the smallest detectable difference {whose}, found"
    return StatisticalBar(name, share, *planted_ends(of.items))


def planted_ends(items: int) -> tuple[float, float]:
    """Between what the share of findings of the smallest detectable difference has to lie."""
    return (0.70, 0.88) if items < FEW_ITEMS else (0.74, 0.86)


def planted_share(equal: Likeness, difference: float, items: int, tables: int, generator: np.random.Generator) -> float:
    """How often pairs of equal rows, of which one was then lowered by so much (below one half raised), are found to differ; all
    pairs of the real table are looked at together, those of rows that are not simulated too."""
    rows, score = equal.rows, float(equal.truths.mean())
    pairs = list(combinations(range(rows), 2))
    change, detections = toward_middle(equal.mean_share) * difference, []
    for row, part in zip(range(rows), dealt_out(tables, rows), strict=True):
        scores = [score + change * (other == row) for other in range(rows)]
        changed = [row in pair for pair in pairs]
        for drawn in drawn_tables(Tables(equal.of(range(rows), scores), equal.seeds, items), part, generator):
            detections.append(_which_pairs_differ(drawn, _family(equal))[:, changed].ravel())
    return share_of(detections)


def _family(of: Likeness) -> int:
    return of.family or of.rows * (of.rows - 1) // 2


def _planted_difference(of: Likeness, generator: np.random.Generator) -> float:
    """From the components that tables of these rows have: known over seeds, and over items the mean of 200 tables."""
    # How far pairs vary over items hangs on how alike rows answer, which drawn tables show.
    margins = [margin for drawn in drawn_tables(Tables(of, of.seeds), 200, generator) for _, margin in _pair_margins(drawn)]
    items, freedom = mean_over_items(margins)
    own = float(of.own.mean()) / of.items
    # The likeness says how far seeds vary; what 200 tables estimate of it would add their own chance.
    seeds = 2 * (of.sd**2 + own) / of.seeds
    mean = Margin(seeds, float(margins[0].seed_freedom), items, freedom)
    return detectable(mean, _family(of), of.mean_share).value


def mean_over_items(margins: Sequence[Margin]) -> tuple[float, float]:
    """The variance over items and its degrees of freedom, on average over margins of drawn tables."""
    return float(np.mean([np.mean(each.items) for each in margins])), float(
        np.mean([np.mean(each.item_freedom) for each in margins])
    )


def coverage(of: Likeness, tables: int, generator: np.random.Generator) -> Iterator[StatisticalBar]:
    """How often the intervals of rows, pairs and gains hold the truth."""
    covered: dict[str, list[npt.NDArray[np.bool_]]] = {"rows": [], "pairs": [], "gains": []}
    truths = of.truths
    pairs = np.array([truths[one] - truths[other] for one, other in combinations(range(len(truths)), 2)])
    for drawn in drawn_tables(Tables(of, of.seeds), tables, generator):
        # Each drawn table has one variance of its own, which stands for all of its rows.
        by_row = Spread(np.asarray(drawn.spread.variance)[:, None], drawn.spread.freedom)
        # The untouched model has no seeds: its one answer to an item is held against all of the rows' seeds.
        gained = rise_over(drawn.rows, drawn.base, of.scale)
        covered["rows"].append(_hold_truth(limits(drawn.rows.values.mean(-1), of_row(drawn.rows, by_row), of.scale), truths))
        covered["gains"].append(_hold_truth(limits(gained.values.mean(-1), of_row(gained, by_row)), truths - of.untouched))
        for (value, margin), truth in zip(_pair_margins(drawn), pairs, strict=True):
            covered["pairs"].append(_hold_truth(limits(value, margin), truth))
    for name, parts in covered.items():
        if parts:
            # What holds nearly always is too wide to be of use. Bounds of shares are held to less of it than plain ones.
            most = 0.99 if name != "rows" or of.scale == "plain" else 0.985
            yield StatisticalBar(f"coverage of {name}", share_of(parts), 0.925, most)


def _hold_truth(ends: tuple[Floats, Floats], truth: Floats | float) -> npt.NDArray[np.bool_]:
    low, high = ends
    return ((low <= truth) & (truth <= high)).ravel()


def _pair_margins(drawn: DrawnTables) -> list[tuple[Floats, Margin]]:
    rows = [drawn.rows.row(index) for index in range(drawn.rows.values.shape[1])]
    return [(a.values.mean(-1) - b.values.mean(-1), of_pair(a, b, drawn.spread)) for a, b in combinations(rows, 2)]


def _which_pairs_differ(drawn: DrawnTables, tests: int) -> npt.NDArray[np.bool_]:
    """(tables, pairs): whether they differ at Holm's first step among so many tests."""
    return np.stack([np.abs(value) > margin.half_width(LEVEL / tests) for value, margin in _pair_margins(drawn)], axis=-1)


def drawn_tables(tables: Tables, count: int, generator: np.random.Generator) -> Iterator[DrawnTables]:
    """So many tables, as many at once as fit."""
    for start in range(0, count, tables.size):
        yield tables.draw(min(tables.size, count - start), generator)


def dealt_out(count: int, parts: int) -> list[int]:
    """So many tables dealt out."""
    return [count // parts + (part < count % parts) for part in range(parts)]


def share_of(outcomes: Sequence[npt.NDArray[np.bool_]]) -> float:
    """In what share of all it is true."""
    return float(np.concatenate(outcomes).mean())

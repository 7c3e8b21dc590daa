"""How often the engine's intervals hold the truth: tables of made-up answers whose truth is known, drawn apart from the engine.

    python baselines/coverage.py                  # prints, and writes docs/method/coverage.md; some minutes on one core

The engine is asked for intervals alone (bench/statistics); how answers come about is modelled here. A row k trained with seed s
answers item i rightly if x_k + sigma_k u_ks exceeds the item's difficulty, sqrt(.45) z_i + sqrt(.2) w_ki + sqrt(.35) e_ksi: a
part that all models share, one that the seeds of a row share, and one of its own; u, z, w, e are standard normal. With clusters
a third of z is the cluster's. x and sigma are such that scores on endless items have the mean and the SD over seeds asked for.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr

from bench.statistics.intervals import Scale, Spread, limits, of_pair, of_row, pooled, rise_over
from bench.statistics.jackknife import Clusters, Jackknifed, clusters_of, of_auc, of_counts
from reports.rows.numbers import share

Array = npt.NDArray[np.floating[Any]]
PAGE = Path(__file__).parents[1] / "docs" / "method" / "coverage.md"
TABLES = 2_000
CHUNK = 1_000_000
"""Answers in memory at a time."""
SHARED, OF_ROW, OWN = 0.45, 0.2, 0.35
FALSE_ALARMS = 0.3
"""Wrong entities for each true one."""
COLLAPSED = 0.5
POSITIVE = 0.675
"""Share of paraphrases among the pairs of MRPC."""
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()

LINKS: dict[str, Callable[[Array], Array]] = {
    "accuracy": ndtr,
    "F1": lambda x: 2 * ndtr(x) / (ndtr(x) + FALSE_ALARMS + 1),
    "ROC AUC": lambda x: ndtr(x / np.sqrt(2)),
}
"""Measure -> a model's score on endless items, from its ability x."""
SCALES: dict[str, Scale] = {"accuracy": "wilson", "F1": "logit", "ROC AUC": "logit"}


@dataclass(frozen=True)
class Cell:
    """One kind of table: its rows are equally good, and their seeds' SDs are `sd` times `ratios`."""

    rows: int
    seeds: int
    items: int
    score: float
    sd: float
    measure: str = "accuracy"
    ratios: tuple[float, ...] = ()
    clusters: int = 0
    """Of unlike sizes; 0: each item is by itself."""
    blind: bool = False
    """Whether the interval is made without knowing of the clusters."""
    collapse: float = 0.0
    """How often a seed's training comes to nothing, with a score of COLLAPSED."""

    @property
    def sds(self) -> list[float]:
        return [self.sd * ratio for ratio in self.ratios or [1.0] * self.rows]

    @property
    def truth(self) -> float:
        """A row's mean score over endless seeds and items."""
        return (1 - self.collapse) * self.score + self.collapse * COLLAPSED

    @property
    def base(self) -> float:
        """The untouched model's score."""
        return self.score - 0.1


@dataclass(frozen=True)
class Found:
    """Of one cell: how often intervals held the truth, by row, for pairs and gains; false findings; widths."""

    cell: Cell
    by_row: list[float]
    pair: float
    gain: float
    false: float
    """Share of tables in which Holm's correction let a difference between two equal rows pass."""
    width: float
    pair_width: float
    gain_width: float
    effective: float

    @property
    def row(self) -> float:
        return float(np.mean(self.by_row))


@cache
def ability(measure: str, score: float, sd: float) -> tuple[float, float]:
    """x and sigma with which the score of x + sigma u has this mean and this SD."""
    link = LINKS[measure]

    def centre(sigma: float) -> float:
        return float(brentq(lambda x: WEIGHTS @ link(x + sigma * NODES) - score, -12.0, 12.0))

    def excess(sigma: float) -> float:
        values = link(centre(sigma) + sigma * NODES)
        return float(np.sqrt(WEIGHTS @ (values - WEIGHTS @ values) ** 2) - sd)

    sigma = float(brentq(excess, 0.0, 4.0)) if sd else 0.0
    return centre(sigma), sigma


def sizes(cell: Cell) -> npt.NDArray[np.int64]:
    """Items of each cluster, the largest about three times the smallest."""
    weights = np.linspace(1.0, 3.0, cell.clusters)
    ends = np.round(np.cumsum(weights) / weights.sum() * cell.items).astype(int)
    return np.diff(ends, prepend=0)


def jackknifed(cell: Cell, tables: int, generator: np.random.Generator) -> tuple[Jackknifed, Jackknifed]:
    """So many tables' rows, (tables, rows, seeds), and their untouched model, (tables, 1, 1)."""
    film = np.repeat(np.arange(cell.clusters), sizes(cell)) if cell.clusters else None
    clusters = clusters_of(None if cell.blind else film, cell.items)
    shared = _normal(generator, tables, 1, 1, cell.items)
    if film is not None:
        shared = np.sqrt(2 / 3) * shared + np.sqrt(1 / 3) * _normal(generator, tables, 1, 1, cell.clusters)[..., film]
    gold = _gold(cell, tables, generator)
    places = np.array([ability(cell.measure, cell.score, sd) for sd in cell.sds])
    x = places[:, :1] + places[:, 1:] * generator.standard_normal((tables, cell.rows, cell.seeds))
    if cell.collapse:
        x = np.where(generator.random(x.shape) < cell.collapse, ability(cell.measure, COLLAPSED, 0.0)[0], x)
    base = np.full((tables, 1, 1), ability(cell.measure, cell.base, 0.0)[0])
    rows, untouched = (
        _answered(cell, ability_of, np.sqrt(SHARED) * shared, gold, clusters, generator) for ability_of in (x, base)
    )
    return rows, untouched


def _answered(
    cell: Cell, x: Array, shared: Array, gold: Array, clusters: Clusters, generator: np.random.Generator
) -> Jackknifed:
    tables, rows, seeds = x.shape
    hard = shared + np.sqrt(OF_ROW) * _normal(generator, tables, rows, 1, cell.items)
    if cell.measure == "F1":
        found = generator.binomial(gold.astype(int), ndtr((x[..., None] - hard) / np.sqrt(OWN)))
        wrong = generator.poisson(FALSE_ALARMS, found.shape)  # a sentence holds one entity on average
        counts = np.stack(np.broadcast_arrays(found, found + wrong, gold), axis=-1).astype(np.float64)
        held = counts[..., 1] + counts[..., 2]
        return of_counts(counts, lambda t: 2 * t[..., 0] / np.maximum(t[..., 1] + t[..., 2], 1), clusters, held)
    hard = hard + np.sqrt(OWN) * _normal(generator, tables, rows, seeds, cell.items)
    if cell.measure == "ROC AUC":
        positive = gold[0, 0, 0] > 0
        return of_auc(x[..., None] * positive - hard, positive, clusters)
    right = (x[..., None] > hard).astype(np.float64)
    return of_counts(np.stack([right, np.ones_like(right)], axis=-1), lambda t: t[..., 0] / t[..., 1], clusters)


def _gold(cell: Cell, tables: int, generator: np.random.Generator) -> Array:
    """F1: true entities of each sentence; ROC AUC: 1 for a paraphrase."""
    if cell.measure == "F1":
        return generator.poisson(1.0, (tables, 1, 1, cell.items)).astype(np.float64)
    return (np.arange(cell.items) < round(POSITIVE * cell.items)).astype(np.float64)[None, None, None]


def _normal(generator: np.random.Generator, *shape: int) -> Array:
    # Single precision halves the time of what is drawn; its sums are in double.
    return generator.standard_normal(shape, dtype=np.float32)


def measured(cell: Cell, tables: int = TABLES, seed: int = 0) -> Found:
    """The coverage of one cell over so many tables."""
    generator = np.random.default_rng(seed)
    size = max(1, CHUNK // (cell.rows * cell.seeds * cell.items))
    parts = [_held(cell, min(size, tables - start), generator) for start in range(0, tables, size)]
    held = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    means = {
        name: float(held[name].mean()) for name in ("pair", "gain", "false", "width", "pair_width", "gain_width", "effective")
    }
    return Found(cell, held["row"].mean(0).tolist(), **means)


def _held(cell: Cell, tables: int, generator: np.random.Generator) -> dict[str, Array]:
    """Per table: whether each interval of the engine holds its truth, and how wide it is."""
    rows, base = jackknifed(cell, tables, generator)
    spreads = [pooled(table) for table in rows.values]
    spread = Spread(np.array([each.variance for each in spreads]), spreads[0].freedom)
    by_row = Spread(np.asarray(spread.variance)[:, None], spread.freedom)
    low, high = limits(rows.values.mean(-1), of_row(rows, by_row), SCALES[cell.measure])
    gained = rise_over(rows, base, SCALES[cell.measure])
    gain_low, gain_high = limits(gained.values.mean(-1), of_row(gained, by_row))
    gain = cell.truth - cell.base
    each = [rows.row(index) for index in range(cell.rows)]
    pairs = [(a.values.mean(-1) - b.values.mean(-1), of_pair(a, b, spread)) for a, b in combinations(each, 2)]
    # Holm's first step: nothing is found unless the smallest p is at most .05 / pairs.
    false = [np.abs(value) > margin.half_width(0.05 / len(pairs)) for value, margin in pairs]
    pair_low, pair_high = (np.stack(ends, axis=-1) for ends in zip(*(limits(*pair) for pair in pairs), strict=True))
    return {
        "row": (low <= cell.truth) & (cell.truth <= high),
        "width": high - low,
        "gain": (gain_low <= gain) & (gain <= gain_high),
        "gain_width": gain_high - gain_low,
        "pair": (pair_low <= 0) & (pair_high >= 0),
        "pair_width": pair_high - pair_low,
        "false": np.any(false, axis=0),
        "effective": np.full(tables, rows.clusters.effective),
    }


SEEDS = (2, 3, 5, 10)
PLACES = [(0.70, 0.04), (0.85, 0.0), (0.85, 0.02), (0.85, 0.08), (0.95, 0.0), (0.95, 0.02)]
"""Accuracy and SD over seeds."""
EQUAL = [
    Cell(rows, seeds, items, score, sd) for rows, seeds, items, (score, sd) in product((2, 3, 5, 7), SEEDS, (64, 400), PLACES)
]
UNEQUAL = [Cell(3, seeds, 872, 0.85, sd, ratios=(0.5, 1.0, 2.0)) for seeds, sd in product(SEEDS, (0.01, 0.02, 0.04))]
LOUD = [Cell(rows, seeds, 400, 0.85, 0.008, ratios=(1.0,) * (rows - 1) + (10.0,)) for rows, seeds in product((3, 5, 7), SEEDS)]
"""One row whose seeds vary ten times as far as the others'."""
OTHERS = [
    Cell(3, seeds, items, score, sd, measure)
    for (measure, items, score), seeds, sd in product([("F1", 200, 0.75), ("ROC AUC", 408, 0.75)], SEEDS, (0.0, 0.03))
]
CLUSTERED = [
    Cell(3, seeds, 400, 0.85, 0.02 if seeds > 1 else 0.0, clusters=clusters, blind=blind)
    for clusters, seeds, blind in product((9, 18, 46), (1, 3), (False, True))
]
ONE_SEED = [Cell(3, 1, 872, 0.85, sd) for sd in (0.0, 0.02, 0.04)]
BEYOND = [Cell(5, seeds, 400, 0.95, 0.08) for seeds in SEEDS]
BEYOND += [Cell(5, seeds, 400, 0.85, 0.02, collapse=0.1) for seeds in SEEDS]


LEAST, MOST = 0.925, 0.985
"""Between what the share of intervals that hold the truth has to lie, of rows, pairs and gains."""
LEAST_OF_TWO_ROWS = 0.93
"""For rows of a table of two rows and two seeds, which know least of how far seeds vary."""
LEAST_OF_UNLIKE = 0.92
"""For the mean over rows whose seeds do not vary alike."""
MOST_FALSE = 0.07
"""Share of tables in which two equal rows are told apart."""
# What is far from normal, one seed that stands for others, and clusters that nobody told of are shown to fail.
BARRED = [*EQUAL, *OTHERS, *(cell for cell in [*CLUSTERED, *ONE_SEED] if not cell.blind and (cell.seeds > 1 or not cell.sd))]


def faults(found: Sequence[Found]) -> list[str]:
    """Which of the bars are missed."""
    return [missed for each in found for missed in _faults_of_cell(each)]


def _faults_of_cell(each: Found) -> Iterator[str]:
    cell = each.cell
    told = f"{cell.rows} rows, {cell.seeds} seeds, {cell.items} items, {cell.measure} {cell.score}, SD {cell.sd}"
    told += f", {cell.clusters} clusters" if cell.clusters else ""
    if cell in UNEQUAL and each.row < LEAST_OF_UNLIKE:
        yield f"unequal SDs, {told}: {share(each.row)}"
    if cell not in BARRED:
        return
    least = LEAST_OF_TWO_ROWS if (cell.rows, cell.seeds) == (2, 2) else LEAST
    for name, held, low in (("rows", each.row, least), ("pairs", each.pair, LEAST), ("gains", each.gain, LEAST)):
        if not low <= held <= MOST:
            yield f"{name} of {told}: {share(held)}"
    if each.false > MOST_FALSE:
        yield f"false findings of {told}: {share(each.false)}"


def span(values: Sequence[float]) -> str:
    low, high = share(min(values)), share(max(values))
    return low if low == high else f"{low} to {high}"


def page(found: Sequence[Found], tables: int) -> str:
    """docs/method/coverage.md."""
    by_cell = {each.cell: each for each in found}
    missed = faults(found)
    verdict = "All bars hold." if not missed else "Missed: " + "; ".join(missed) + "."
    parts = [
        HEAD.format(tables=f"{tables:,}", verdict=verdict),
        MODEL,
        _equal(by_cell),
        _table(
            "## What if the rows' seed SDs are not alike?",
            "Three rows of 872 items at .85; their SDs are as 1 : 2 : 4. A row keeps its own SD where that is larger. A pair "
            "of up to four seeds has the mean of all rows, which is too little for the two that vary most: pairs hold in "
            f"{span([by_cell[c].pair for c in UNEQUAL])}, and equal rows are told apart in up to "
            f"{share(max(by_cell[c].false for c in UNEQUAL))}.",
            ["seeds", "SDs", "mean over rows", "each row", "pairs", "false finding"],
            [[str(c.seeds), ", ".join(f"{sd:g}" for sd in c.sds), *_unequal(by_cell[c])] for c in UNEQUAL],
        ),
        _table(
            "",
            "Rows of 400 items at .85, of which one has an SD of .08 and the others of .008. Such a row is told apart from its "
            f"equals in up to {share(max(by_cell[c].false for c in LOUD))} of the tables, and its own interval holds in as "
            f"little as {share(min(by_cell[c].by_row[-1] for c in LOUD))}. Where a row's seed SD is many times the others', "
            "believe no difference of it before it has five seeds or more.",
            ["rows", "seeds", "mean over rows", "that row", "pairs", "false finding"],
            [
                [str(c.rows), str(c.seeds), share(f.row), share(f.by_row[-1]), share(f.pair), share(f.false)]
                for c in LOUD
                for f in [by_cell[c]]
            ],
        ),
        _table(
            "## What of F1 and ROC AUC?",
            "Three rows: F1 of entities in 200 sentences, ROC AUC of 408 pairs of which 275 are paraphrases, both at .75.",
            ["measure", "seeds", "SD", "rows", "width", "pairs", "gains", "width"],
            [[c.measure, str(c.seeds), f"{c.sd:g}", *_ends(by_cell[c])] for c in OTHERS],
        ),
        _table(
            "## What of clusters?",
            "Three rows, 400 items at .85 in clusters of unlike sizes, SD .02; with one seed 0, since one model is all that is "
            "claimed then. `Ignored`: items are left out one by one.",
            ["clusters", "effective", "seeds", "rows", "width", "pairs", "gains", "ignored: rows", "pairs"],
            list(_clustered(by_cell)),
        ),
        _table(
            "## What does one seed say?",
            "872 items at .85. With an SD of 0 all seeds make the same model, and the interval holds. Otherwise it holds this "
            "model, and another seed's less often.",
            ["SD over seeds", "rows", "gains"],
            [[f"{c.sd:g}", share(by_cell[c].row), share(by_cell[c].gain)] for c in ONE_SEED],
        ),
        _table(
            "## What if seeds are far from normal?",
            "Five rows of 400 items: at .95 with an SD of .08, where most seeds are near 1 and few far below; and at .85 with "
            "an SD of .02, where a training comes to nothing one time in ten and scores .5. With two or three seeds their mean "
            "is often that of seeds that did not, which is why runs that collapsed are counted beside the score.",
            ["score", "SD", "collapse", "seeds", "rows", "pairs", "gains"],
            [[f"{c.score:g}", f"{c.sd:g}", f"{c.collapse:g}", str(c.seeds), *_shares(by_cell[c])] for c in BEYOND],
        ),
        _table(
            "## All cells of equal SDs",
            "",
            [
                "rows",
                "seeds",
                "items",
                "score",
                "SD",
                "rows hold",
                "width",
                "pairs",
                "width",
                "gains",
                "width",
                "false finding",
            ],
            [_line(by_cell[cell]) for cell in EQUAL],
        ),
    ]
    return "\n\n".join(parts) + "\n"


HEAD = """# How often do the intervals hold?

[All pages on method](../method.md) · [how intervals are made](scores.md#how-is-an-interval-made)

Made by `python baselines/coverage.py`. It draws {tables} tables of each kind from a model whose truth is known, asks the
engine for intervals, and counts how often they hold the truth. A 95 % interval should do so in .95 of the cases. An answer is
right where a model's ability exceeds an item's difficulty, which has a part that all models share, one that the seeds of a
row share, and one of each answer, all normal. Nothing is said of data that are far from that.

**{verdict}** The bars: rows, pairs and gains of accuracy, F1 and ROC AUC, with clusters and without, each hold the truth in
.925 to .985 of the tables of each kind whose rows have equal SDs (rows of two rows and two seeds in at least .93), and two
equal rows are told apart in at most .07. With SDs as 1 : 2 : 4 the mean over rows is at least .92. There is no bar for what is
shown to hold less often: pairs of rows whose SDs are unlike, clusters that are ignored, one seed that stands for others, and
seeds that are far from normal."""

MODEL = """## How are answers made?

Row k, trained with seed s, answers item i rightly where

    x + σ u > √.45 z + √.2 w + √.35 e

u is of the row and its seed, z of the item, w of the row and the item, and e of this one answer; all are standard normal. The
right side has the variance .45 + .2 + .35 = 1, so the seed's accuracy on endless items is Φ(x + σ u). x and σ are such that
this has the mean and the SD over seeds that a table is to have. For F1 each true entity of a sentence is found in this way, and
.3 wrong ones come beside each on average. For ROC AUC a pair is ranked by the left side, which is 0 where it is no paraphrase,
minus the right side.

**Worked number.** For an accuracy of .85 that no seed moves, x = Φ⁻¹(.85) = 1.036. An SD of .02 takes about
σ = .02 / φ(1.036) = .02 / .233 = .086, and x = 1.040. A share of .95 that is counted in 2,000 tables has a standard error of
√(.95 · .05 / 2000) = .005. So shares from .94 to .96 differ from .95 by no more than two of them. Printed, in a checkout, by

```python
from baselines.coverage import ability

for sd in (0.0, 0.02):
    x, sigma = ability("accuracy", 0.85, sd)
    print(f"SD {sd}: x {x:.3f}, sigma {sigma:.3f}")
print(f"{(0.95 * 0.05 / 2000) ** 0.5:.4f}")
```

```text
SD 0.0: x 1.036, sigma 0.000
SD 0.02: x 1.040, sigma 0.086
0.0049
```

Sources: [baselines/coverage.py](../../baselines/coverage.py); what it asks for intervals is
[intervals.py](../../bench/statistics/intervals.py) and [jackknife.py](../../bench/statistics/jackknife.py)."""


def _equal(found: dict[Cell, Found]) -> str:
    lines = []
    for rows, seeds in product((2, 3, 5, 7), SEEDS):
        alike = [found[cell] for cell in EQUAL if (cell.rows, cell.seeds) == (rows, seeds)]
        shown = found[Cell(rows, seeds, 400, 0.85, 0.02)]
        spans = [span([getattr(each, name) for each in alike]) for name in ("row", "pair", "gain")]
        widths = [share(value) for value in (shown.width, shown.pair_width, shown.gain_width)]
        told = [text for pair in zip(spans, widths, strict=True) for text in pair]
        lines.append([str(rows), str(seeds), *told, share(max(each.false for each in alike))])
    return _table(
        "## Rows, pairs and gains",
        "Lowest to highest over 64 and 400 items, accuracies of .70 (SD .04), .85 (SD 0, .02, .08) and .95 (SD 0, .02). Widths "
        "are of 400 items at .85 with an SD of .02. A gain is over one untouched model on the same items. The last column is "
        "the highest share of tables in which Holm's correction lets a difference between equal rows pass.",
        ["rows", "seeds", "rows hold", "width", "pairs hold", "width", "gains hold", "width", "false finding"],
        lines,
    )


def _shares(each: Found) -> list[str]:
    return [share(value) for value in (each.row, each.pair, each.gain)]


def _unequal(each: Found) -> list[str]:
    return [share(each.row), ", ".join(map(share, each.by_row)), share(each.pair), share(each.false)]


def _ends(each: Found) -> list[str]:
    return [share(value) for value in (each.row, each.width, each.pair, each.gain, each.gain_width)]


def _clustered(found: dict[Cell, Found]) -> Iterator[list[str]]:
    for cell in CLUSTERED:
        if not cell.blind:
            aware, blind = found[cell], found[replace(cell, blind=True)]
            told = [f"{cell.clusters}", f"{aware.effective:.1f}", f"{cell.seeds}"]
            yield told + [share(v) for v in (aware.row, aware.width, aware.pair, aware.gain, blind.row, blind.pair)]


def _line(each: Found) -> list[str]:
    cell = each.cell
    held = [each.row, each.width, each.pair, each.pair_width, each.gain, each.gain_width, each.false]
    return [str(cell.rows), str(cell.seeds), str(cell.items), f"{cell.score:g}", f"{cell.sd:g}", *map(share, held)]


def _table(title: str, said: str, headers: list[str], lines: list[list[str]]) -> str:
    rows = [headers, ["---:"] * len(headers), *lines]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return "\n\n".join(part for part in (title, said, table) if part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=TABLES)
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args()
    started, found = time.perf_counter(), []
    for cell in [*EQUAL, *UNEQUAL, *LOUD, *OTHERS, *CLUSTERED, *ONE_SEED, *BEYOND]:
        found.append(measured(cell, asked.tables))
        print(f"{time.perf_counter() - started:6.0f} s  {cell.measure:8} {' | '.join(_line(found[-1]))}", flush=True)
    text = page(found, asked.tables)
    asked.page.write_text(text, encoding="utf-8")
    print(text)
    raise SystemExit(1 if faults(found) else 0)


if __name__ == "__main__":
    main()

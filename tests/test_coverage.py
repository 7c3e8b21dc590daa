"""Intervals hold the truth as often as they say: baselines/coverage.py in small. Planted faults show in it."""

from dataclasses import replace
from functools import cached_property

import numpy as np
import pytest

from baselines import coverage
from baselines.coverage import Cell, Found, measured
from bench.statistics.intervals import Spread
from bench.statistics.jackknife import Jackknifed

TABLES = 400
WIDTHS = {"width": 0.1, "pair_width": 0.1, "gain_width": 0.1, "effective": 100.0}
ACCURACY = Cell(3, 3, 150, 0.85, 0.02)


@pytest.mark.parametrize("measure", ["accuracy", "F1", "ROC AUC"])
def test_simulated_models_have_the_mean_and_the_deviation_asked_for(measure):
    cell = Cell(1, 400, 400, 0.8, 0.05, measure)
    values = coverage.jackknifed(cell, 12, np.random.default_rng(0))[0].values
    assert values.mean() == pytest.approx(0.8, abs=0.01)
    # Items add what a seed's own answers to 400 of them vary by.
    assert 0.045 < values.std(-1).mean() < 0.07


@pytest.mark.parametrize(
    "cell",
    [
        ACCURACY,
        Cell(2, 2, 150, 0.85, 0.04),
        Cell(3, 5, 100, 0.85, 0.0),
        Cell(3, 3, 150, 0.75, 0.03, "F1"),
        Cell(3, 2, 150, 0.75, 0.03, "ROC AUC"),
        Cell(3, 3, 150, 0.85, 0.02, clusters=20),
    ],
)
def test_rows_pairs_and_gains_hold_the_truth(cell):
    found = measured(cell, TABLES)
    # 400 tables of rows that share their items: a share of .95 is known to about .01.
    assert 0.925 <= found.row <= 0.99 and 0.92 <= found.pair <= 0.985 and 0.925 <= found.gain <= 0.99
    assert found.false <= 0.08 and 0 < found.width < 0.4


def test_items_taken_as_if_seeds_did_not_share_them_are_noticed(monkeypatch):
    def apart(row: Jackknifed) -> np.ndarray:
        return (row.shifts**2).sum((-1, -2)) / row.values.shape[-1] ** 2

    fault = cached_property(apart)
    fault.__set_name__(Jackknifed, "items_variance")
    monkeypatch.setattr(Jackknifed, "items_variance", fault)
    assert measured(Cell(3, 5, 100, 0.85, 0.0), TABLES).row < 0.9


def test_seeds_taken_as_if_they_did_not_vary_are_noticed(monkeypatch):
    monkeypatch.setattr(coverage, "pooled", lambda table: Spread(1e-12, 6))
    assert measured(Cell(3, 3, 400, 0.85, 0.04), TABLES).pair < 0.6


def test_clusters_that_are_ignored_are_noticed():
    assert measured(Cell(3, 3, 150, 0.85, 0.0, clusters=12, blind=True), TABLES).row < 0.9


def test_bars_name_the_cell_that_misses_them():
    fine = Found(coverage.EQUAL[0], [0.95] * 2, pair=0.95, gain=0.95, false=0.05, **WIDTHS)
    low = replace(fine, by_row=[0.92] * 2)
    assert coverage.faults([fine]) == [] and coverage.faults([low])[0].startswith("rows of 2 rows, 2 seeds, 64 items")


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ({"by_row": [0.924] * 3}, "rows"),
        ({"by_row": [0.986] * 3}, "rows"),
        ({"pair": 0.92}, "pairs"),
        ({"pair": 0.99}, "pairs"),
        ({"gain": 0.92}, "gains"),
        ({"gain": 0.99}, "gains"),
        ({"false": 0.08}, "false findings"),
    ],
)
@pytest.mark.parametrize("cell", [coverage.EQUAL[60], *coverage.OTHERS[::8], coverage.CLUSTERED[2], coverage.ONE_SEED[0]])
def test_each_measure_has_bars_for_rows_pairs_and_gains(cell, planted, said):
    fine = Found(cell, [0.95] * cell.rows, pair=0.95, gain=0.95, false=0.05, **WIDTHS)
    (missed,) = coverage.faults([replace(fine, **planted)])
    assert coverage.faults([fine]) == [] and missed.startswith(f"{said} of 3 rows, {cell.seeds} seeds, {cell.items} items, ")
    assert f"{cell.measure} {cell.score}" in missed and (f"{cell.clusters} clusters" in missed) == (cell.clusters > 0)


def test_what_is_shown_to_hold_less_often_has_no_bar():
    shown = [coverage.CLUSTERED[1], coverage.ONE_SEED[1], *coverage.BEYOND]
    low = [Found(cell, [0.5] * cell.rows, pair=0.5, gain=0.5, false=0.5, **WIDTHS) for cell in shown]
    assert coverage.CLUSTERED[1].blind and coverage.faults(low) == []
    unlike = replace(low[0], cell=coverage.UNEQUAL[0], by_row=[0.96, 0.95, 0.84])
    assert coverage.faults([unlike])[0].startswith("unequal SDs, 3 rows, 2 seeds, 872 items")
    assert coverage.faults([replace(unlike, by_row=[0.96, 0.95, 0.86])]) == []


@pytest.mark.slow
def test_bars_hold_in_cells_of_each_kind():
    cells = [*coverage.EQUAL[::60], *coverage.OTHERS[::5], coverage.CLUSTERED[2], coverage.CLUSTERED[6], coverage.ONE_SEED[0]]
    assert {cell.measure for cell in cells} == {"accuracy", "F1", "ROC AUC"} and len(cells) == 11
    assert coverage.faults([measured(cell) for cell in cells]) == []


def test_the_page_tells_of_the_model_as_it_is():
    head = coverage.HEAD.format(tables=f"{coverage.TABLES:,}", verdict="All bars hold.")
    assert f"{head}\n\n{coverage.MODEL}\n\n" in coverage.PAGE.read_text(encoding="utf-8")

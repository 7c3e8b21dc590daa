"""Frontiers by the audit's own loops, by hand and against the engine's draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranked_rows import estimates_and_rivals, rival

from bench.statistics.draws import DRAWS, redrawn, redrawn_costs, unbeaten_share
from bench.statistics.intervals import Spread
from reports.audit.frontiers import frontier_of, frugal_of, sparing_of


def fixed(**values):
    """Rows that do not vary."""
    return {name: rival([[value, value]]) for name, value in values.items()}


def test_frontier_by_hand():
    """Row b gains less than a for as much; c loses nothing; d is c again; e gains less than nothing, which the base beats."""
    told = frontier_of(fixed(a=0.3, b=0.2, c=0.1, d=0.1, e=-0.1), fixed(a=0.1, b=0.1, c=0.0, d=0.0, e=0.0))
    assert {name: told["frontier", name] for name in "abcde"} == {"a": 1.0, "b": 0.0, "c": 1.0, "d": 1.0, "e": 0.0}
    assert {name: told["frontier_share", name] for name in "abcde"} == {"a": 1.0, "b": 0.0, "c": 1.0, "d": 1.0, "e": 0.0}


def test_a_cheaper_row_stays_whatever_it_gains():
    gains = {"cheap": rival([[0.0, 1.0, 0.0, 1.0]]), "dear": rival([[0.0, 1.0, 1.0, 1.0]])}
    told = frugal_of(gains, {"cheap": [1.0], "dear": [2.0]})
    # The dearer one stays where it gains more: .75 and .50 of the same four items.
    assert told["frugal", "cheap"] == 1.0 and 0.6 < told["frugal", "dear"] < 1.0


def drawn_rows(seed, seeds):
    """Five rows, (seeds, items): the third is the second again, the fourth moves by chance of its own alone, and the last is a
    thousand times as large."""
    drawn = np.random.default_rng(seed)
    rows = [drawn.normal(0.1, 1, (seeds, 20)) + drawn.normal(0, 0.2, (seeds, 1)) for _ in range(3)]
    return [*rows[:2], rows[1].copy(), np.eye(seeds, 20), 1000 * rows[2]]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_shares_are_the_engines(seed, seeds):
    spreads = [Spread(0.04, 4 * (seeds - 1)) if seeds > 1 else Spread()] * 5
    (gained, gains), (paid, losses) = (estimates_and_rivals(drawn_rows(seed + n, seeds), spreads) for n in (0, 1))
    generator, base = np.random.default_rng(0), np.zeros((DRAWS, 1))
    columns = [np.hstack([redrawn(column, DRAWS, generator), base]) for column in (gained, paid)]
    told = frontier_of(gains, losses)
    assert [told["frontier_share", str(n)] for n in range(5)] == pytest.approx(list(unbeaten_share(*columns)[:5]), abs=1e-12)
    costs = [[3.0, 3.1], [2.0, 2.0], [2.0], [1.0, 1.0, 1.3], [1.0]]
    drawn = np.random.default_rng(0)
    alone = unbeaten_share(redrawn(gained, DRAWS, drawn), redrawn_costs(costs, DRAWS, drawn))
    told = frugal_of(gains, {str(n): cost for n, cost in enumerate(costs)})
    assert [told["frugal", str(n)] for n in range(5)] == pytest.approx(list(alone), abs=1e-12)
    drawn = np.random.default_rng(0)
    spared = unbeaten_share(-redrawn(paid, DRAWS, drawn), redrawn_costs(costs, DRAWS, drawn))
    told = sparing_of(losses, {str(n): cost for n, cost in enumerate(costs)})
    assert [told["sparing", str(n)] for n in range(5)] == pytest.approx(list(spared), abs=1e-12)


def test_rows_that_were_asked_other_items_move_apart():
    values = np.random.default_rng(3).normal(0, 1, (1, 50))
    together = {"one": rival(values), "other": rival(values + 0.01)}
    apart = together | {"other": rival(values + 0.01, asked="others")}
    prices = {"one": [1.0], "other": [1.0]}
    assert frugal_of(together, prices)["frugal", "one"] == 0.0  # the other is better by .01 in every draw
    assert frugal_of(apart, prices)["frugal", "one"] == pytest.approx(0.5, abs=0.1)

"""A record's and a row's intervals from the items, and what is said of a number without one."""

import numpy as np
import pandas as pd
import pytest
from audited import METRICS, scored
from scipy import stats

from bench.records import store
from reports.audit import intervals
from reports.audit.intervals import (
    SeededRow,
    SeededTable,
    left_out,
    record_intervals,
    row_intervals,
    seed_variance,
    seeds_alone_intervals,
)
from reports.audit.leaving_out import SeedVariance, bounds
from reports.audit.recomputed import recomputed
from reports.audit.table import shown_rows
from reports.rows.rows import aggregate


def ends(part):
    return part.ci_low, part.ci_high


@pytest.mark.parametrize("task", METRICS)
def test_every_interval_of_a_record_is_found(task):
    record, items = scored(task)
    found, outcome = record_intervals(left_out(record, items)), record.outcome

    def at(*place):
        return found[*place, "ci_low"], found[*place, "ci_high"]

    assert at("score") == pytest.approx(ends(outcome.score), rel=1e-12)
    assert at("best_base", "gain") == pytest.approx(ends(outcome.best_base.gain), rel=1e-12)
    for name, probe in outcome.forgetting.items():
        assert at("forgetting", name) == pytest.approx(ends(probe), rel=1e-12)
        assert at("forgetting", name, "quantisation") == pytest.approx(ends(probe.quantisation), rel=1e-12)
    lost = outcome.forgetting["lambada"].accuracy_lost
    assert at("forgetting", "lambada", "accuracy_lost") == pytest.approx(ends(lost), rel=1e-12)
    assert ("forgetting", "wikipedia", "accuracy_lost", "ci_low") not in found


def test_what_is_missing_is_left_out():
    record, items = scored()
    assert left_out(record, pd.DataFrame()) == {}
    left = left_out(record, items.assign(before=None))
    assert ("score",) in left and ("gain",) not in left and ("best_base", "gain") in left


def test_rows_take_the_seed_variance_of_their_table(results):
    records = store.read_all(results)
    (row,) = (row for row in shown_rows(aggregate(records, results)) if len(row.runs) == 2)
    runs = [left_out(run, store.read_items(results, run)) for run in row.runs]
    own = row_intervals(runs, SeededTable([of(runs)]), row)
    assert own["gain", "ci_low"] == pytest.approx(row.numbers["gain", "ci_low"], rel=1e-12)
    # A row whose seeds agree halves the variance, and adds to what is known of it.
    pooled = row_intervals(runs, SeededTable([of(runs), of([runs[0], runs[0]])]), row)
    assert pooled["score", "ci_high"] - pooled["score", "ci_low"] < own["score", "ci_high"] - own["score", "ci_low"]
    numbers = [recomputed(run, store.read_items(results, run)) for run in row.runs]
    alone = seeds_alone_intervals(numbers, SeededTable([of(numbers)]), row)
    assert alone["relative_forgetting", "ci_low"] == pytest.approx(row.numbers["relative_forgetting", "ci_low"], rel=1e-12)
    assert set(own) | set(alone) == {place for place in row.numbers if place[-1] in ("ci_low", "ci_high")}
    assert not set(own) & set(alone)
    # A row of which a run collapsed has no part, but for rows of its own kind.
    same = [runs[0], runs[0]]
    fallen = [of(same, [True, True]), of([*same, runs[1]], [False, False, True])]
    assert row_intervals(runs, SeededTable([of(runs), *fallen]), row) == own
    wild = [of(same), of(runs, [False, True])]
    found = seed_variance(("score",), SeededTable(wild, fallen=True))
    assert found == seed_variance(("score",), SeededTable([of(runs)])) and found.variance > 0
    assert seed_variance(("score",), SeededTable(wild)) == SeedVariance(0.0, 1)


def of(runs, collapsed=None):
    return SeededRow(runs, collapsed or [False] * len(runs))


def test_nats_of_a_reference_are_no_share():
    """They may be above 1, and their interval is that of a mean, as the engine has it."""
    nats = np.random.default_rng(0).normal(2.3, 1.1, 50)
    left = intervals._score_left_out(pd.DataFrame({"reference_loss": nats}), "reference_loss", "prediction")
    half = stats.t.ppf(0.975, 49) * nats.std(ddof=1) / np.sqrt(50)
    assert bounds([left]) == pytest.approx((nats.mean() - half, nats.mean() + half))

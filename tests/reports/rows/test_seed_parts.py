"""What each part of a seed does to a score, from records made by hand."""

import numpy as np
import pytest
from scipy import stats

from reports.rows.rows import aggregate
from reports.rows.seed_parts import seed_parts

PARTS = ("init", "order", "dropout")
SCORES = {"init": (0.84, 0.82), "order": (0.81, 0.83), "dropout": (0.80, 0.81)}


@pytest.fixture
def table(make):
    """A strategy's runs: that with all parts at 0, and two more of each part."""
    moved = [make.varied(value, part, seed) for part in PARTS for seed, value in enumerate(SCORES[part], start=1)]
    return [make.varied(0.80), *moved]


@pytest.fixture
def ordinary(make):
    """Records of whole seeds."""

    def of(value, seed, strategy="full"):
        record = make.record(strategy, seed)[0]
        return make.changed(record, score=record.outcome.score.model_copy(update={"value": value}))

    return of


def one(records, beside=()):
    ((each,),) = seed_parts(records, beside).values()
    return each


def test_each_part_has_its_seeds_and_the_run_at_0(table, make, ordinary):
    each = one(table[::-1])
    assert each.group == ("sentiment", "smollm2", "sst2") and each.label == "full" and each.items == 200
    assert [moved.part for moved in each.parts] == list(PARTS) and each.whole is None
    assert [moved.scores for moved in each.parts] == [(0.80, 0.84, 0.82), (0.80, 0.81, 0.83), (0.80, 0.80, 0.81)]
    variances = np.array([np.var(moved.scores, ddof=1) for moved in each.parts])
    low, high = stats.chi2(2).ppf([0.975, 0.025])
    for moved, variance in zip(each.parts, variances, strict=True):
        assert moved.deviation.value == pytest.approx(np.sqrt(variance))
        assert [moved.deviation.low, moved.deviation.high] == pytest.approx(np.sqrt([2 * variance / low, 2 * variance / high]))
    assert [moved.share.value for moved in each.parts] == pytest.approx(variances / variances.sum())


def test_a_part_that_drew_nothing_is_0_and_known_without_runs(table, make, ordinary):
    drew = ["order"]
    records = [make.varied(value, "order", seed, drew) for seed, value in enumerate((0.8, 0.71, 0.72))]
    init, order, dropout = one(records).parts
    assert init.empty and dropout.empty and not order.empty
    assert (init.deviation.value, init.scores, init.share.value) == (0, (), 0) and order.share.value == 1


def test_a_part_that_was_not_varied_is_not_shown(table, make, ordinary):
    assert [moved.part for moved in one(table[:3]).parts] == ["init"]


def test_whole_seeds_stand_beside_where_they_asked_the_same(table, make, ordinary):
    beside = [ordinary(0.7, 0), ordinary(0.9, 1), ordinary(0.8, 2, "frozen")]
    whole = one(table, beside).whole
    assert (
        whole.part is None and whole.scores == (0.7, 0.9) and whole.deviation.value == pytest.approx(np.std([0.7, 0.9], ddof=1))
    )
    assert one(table, beside[:1]).whole is None
    other = [make.changed(record, inputs={**record.provenance.inputs, "batch": 7}) for record in beside]
    assert one(table, other).whole is None


def test_strategies_and_their_variants_stand_apart(table, make, ordinary):
    other = [make.varied(0.5, seed=seed, batch=7) for seed in (0, 1)]
    (found,) = seed_parts([*table, *other, make.varied(0.6, strategy="frozen")], []).values()
    assert [each.label for each in found] == ["frozen", "full", "full (batch=7)"]


def test_what_failed_has_no_score_and_is_told(table, make, ordinary):
    failed = make.changed(table[1], status="failed", reason="the loss is nan", outcome=None)
    each = one([table[0], failed, table[2]])
    assert each.parts[0].scores == (0.80, 0.82) and each.unscored == [failed]
    each = one([table[0], failed])
    assert each.parts[0].deviation is None and each.parts[0].share is None
    each = one([failed])
    assert each.quantity is None and each.items == 0


def test_without_the_run_at_0_seeds_count_all_the_same(table, make, ordinary):
    assert [moved.scores for moved in one(table[1:3]).parts] == [(0.84, 0.82)]


def test_in_a_table_of_rows_each_stands_by_itself(table):
    rows = aggregate(table)
    assert len(rows) == 7 and [row.seeds for row in rows] == ["0", *["1", "2"] * 3]
    assert rows[1].variant == "seeds.dropout=0, seeds.init=1, seeds.order=0"

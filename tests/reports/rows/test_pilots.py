"""A table as a pilot: which rows it has, why it is none, and what a study would cost."""

import pytest

from reports.rows.pilots import known_items, pilot_of, study_seconds
from reports.rows.rows import aggregate


def test_rows_that_train_are_the_pilot_and_all_pairs_its_family(make, out):
    found = pilot_of(aggregate(make.kept(out, make.suite(3)), out))
    assert (found.rows, found.pairs, found.items, found.freedom) == (5, 21, 200, 10)
    assert found.share == pytest.approx((0.885 + 0.85 + 0.87 + 0.88 + 0.855) / 5)


def test_reasons_why_there_is_no_pilot(make, out):
    assert "one seed says nothing" in pilot_of(aggregate(make.kept(out, make.suite(1)), out))
    assert "fewer than two rows train" in pilot_of(aggregate([make.record("full", seed)[0] for seed in range(2)]))
    bare = [make.record(name, seed)[0] for name in ("full", "frozen") for seed in range(2)]
    assert "no answers per item" in pilot_of(aggregate(bare))


def test_rows_that_collapsed_are_no_pilot(make, out):
    """Planted fault: seeds of a row that answers nothing of its own hardly vary, and two of them "found" any difference."""
    pairs = [make.record(name, seed, 0.8 + 0.02 * seed) for name in ("full", "frozen") for seed in range(2)]
    fallen = [
        (make.changed(record, outcome=record.outcome.model_copy(update={"collapsed": "one answer"})), frame)
        if record.setup.strategy == "full"
        else (record, frame)
        for record, frame in pairs
    ]
    rows = aggregate(make.kept(out, fallen), out)
    assert "fewer than two rows have learned with all their seeds" in pilot_of(rows)


def test_seconds_by_hand(make, out):
    """Two rows of 2 seeds: training 82 s on average, 4.5 s of probes, 7.75 s for 200 items; zero-shot is run once."""
    found = [make.record(name, seed) for name in ("full", "frozen") for seed in range(2)]
    rows = aggregate(make.kept(out, [*found, make.record("zero-shot", trainable=0)]), out)
    assert study_seconds(rows, 3, 800) == pytest.approx(6 * (82 + 4.5 + 4 * 7.75) + 4.5 + 4 * 7.75)
    assert known_items(rows) == 872
    # Of 7.75 s a fifth goes to 50 items of another task, which a larger study of this one asks no oftener.
    beside = make.kept(out / "beside", [make.elsewhere(make.record("full"), "rte", 0.7, 50)])
    assert study_seconds(aggregate(beside, out / "beside"), 1, 800) == pytest.approx(81.5 + 4.5 + 7.75 * (0.2 + 4 * 0.8))
    unknown = make.changed(found[0][0], cost=found[0][0].cost.model_copy(update={"train_seconds": None}))
    assert study_seconds(aggregate([unknown]), 3, 800) is None

"""Which frontiers a page shows, of which rows."""

import pytest

from reports.audit.table_frontiers import shown_frontiers
from reports.rows.frontier import of_rows
from reports.rows.rows import aggregate

LOST = {"full": 0.05, "frozen": 0.02}


def frontiers(make, out):
    """The rows, of two seeds each, and by its price each frontier of gain."""
    made = [
        make.lost(make.record(name, seed, 0.85 + lost), "wikipedia", (lost, lost - 0.01, lost + 0.01))
        for name, lost in LOST.items()
        for seed in range(2)
    ]
    rows = aggregate(make.kept(out, made), out)
    return rows, {shown.label.rsplit(" / ", 1)[1]: shown for shown in shown_frontiers(rows) if not shown.lost}


def test_one_for_each_probe_and_one_for_each_cost(make, out):
    rows, shown = frontiers(make, out)
    assert {"wikipedia", "training", "flops", "memory", "saved"} <= set(shown)
    assert shown["training"].price == {row.label: [run.cost.train_seconds for run in row.records] for row in rows}
    assert shown["wikipedia"].price == "wikipedia" and list(shown["wikipedia"].rows) == ["full", "frozen"]
    assert shown["memory"].price == {row.label: [run.cost.peak_memory_bytes for run in row.records] for row in rows}
    numbers = shown["wikipedia"].numbers
    assert {place[1] for place in numbers if place[0] == "frontier" and numbers[place]} == {
        row.label for row in of_rows(rows, "wikipedia")
    }
    assert numbers["per_gain", "full"] == pytest.approx(0.05 / (100 * rows[0].gain.value))


def test_one_of_each_probe_for_each_cost_that_is_held(make, out):
    rows, _ = frontiers(make, out)
    losing = {(shown.lost, shown.label.rsplit(" / ", 1)[1]): shown for shown in shown_frontiers(rows) if shown.lost}
    assert losing.keys() == {(probe, cost) for probe in ("wikipedia", "lambada", "arc-easy") for cost in ("memory", "saved")}
    shown = losing["wikipedia", "saved"]
    assert shown.price == {row.label: [run.cost.saved_bytes for run in row.records] for row in rows} and list(shown.rows) == [
        "full",
        "frozen",
    ]
    assert shown.numbers.keys() == {("sparing", "full"), ("sparing", "frozen")}


def test_memory_of_two_machines_is_no_price(make, out):
    rows, shown = frontiers(make, out)
    assert "memory" in shown
    elsewhere = rows[1].first.provenance.model_copy(update={"device": {"cpu": "another"}})
    other = [make.changed(run, provenance=elsewhere) for run in rows[1].records]
    apart = {each.label.rsplit(" / ", 1)[1] for each in shown_frontiers(aggregate([*rows[0].records, *other], out))}
    assert not {"training", "memory"} & apart and {"flops", "saved"} <= apart

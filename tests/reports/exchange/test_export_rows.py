"""Which rows an export is of."""

import pytest

from bench.errors import UserError
from reports.exchange.export_rows import rows_of_strategy
from reports.rows.rows import aggregate


def test_a_strategy_is_a_row_for_each_task(make):
    rows = aggregate([record for record, _ in (make.record("full"), make.record("full", task="rte"), make.record("frozen"))])
    assert [row.setup.task for row in rows_of_strategy(rows, "full")] == ["sst2", "rte"]
    assert [row.setup.task for row in rows_of_strategy(rows, "full", "rte")] == ["rte"]


def test_what_is_none_or_several_is_named(make):
    rates = [make.record("full", hyperparameters={"learning_rate": rate})[0] for rate in (1e-5, 2e-5)]
    rows = aggregate([*rates, make.failed("frozen")])
    with pytest.raises(UserError, match=r"strategy 'full' is several rows \(sentiment: smollm2 on sst2: full \(learning_rate="):
        rows_of_strategy(rows, "full")
    assert len(rows_of_strategy(rows, rows[0].label)) == 1
    with pytest.raises(UserError, match="unknown strategy 'frozen'"):
        rows_of_strategy(rows, "frozen")
    with pytest.raises(UserError, match="strategy 'full' has no score on task 'rte'; it has one on sst2"):
        rows_of_strategy(rows, "full", "rte")
    with pytest.raises(UserError, match="unknown strategy 'nope'; known: full"):
        rows_of_strategy(rows, "nope", "sst2")

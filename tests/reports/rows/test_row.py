"""What a row says of its records."""

import pytest

from reports.rows.numbers import Quantity
from reports.rows.rows import aggregate


def test_published_record_without_items_cost_or_bounds(make):
    bare = {"cost": None, "provenance": None, "forgetting": {}, "gain": None, "gain_ci_low": None, "gain_ci_high": None}
    (row,) = aggregate([make.record("full", **bare)[0]])
    assert row.gain is None and row.cost is None and row.trained_share is None and row.score is not None


def test_check_that_does_not_hold_is_kept(make):
    record = make.record("zero-shot", trainable=0, checks={"untouched_forgets_nothing": False, "other": True})[0]
    assert aggregate([record])[0].faults == ["untouched_forgets_nothing"]


def test_seeds_are_those_of_the_runs_or_none_where_nothing_depends_on_them(make):
    zero, full = aggregate([make.record("zero-shot", trainable=0)[0], make.record("full", 0)[0], make.record("full", 2)[0]])
    assert (zero.seeds, full.seeds) == ("none", "0, 2") and zero.group == ("sentiment", "smollm2", "sst2")
    assert aggregate([make.failed("x", 3)])[0].seeds == "3"


def test_row_of_a_failed_run_has_a_reason_and_no_numbers(make):
    (row,) = aggregate([make.failed(reason="no GPU")])
    assert (row.status, row.reason, row.outcome, row.base_score, row.asked) == ("failed", "no GPU", None, None, None)
    assert row.quantity == Quantity("", share=False) and row.higher_is_better and not row.trains


def test_share_of_trained_parameters(make):
    (row,) = aggregate([make.record("lora-8bit", trainable=2_442_240)[0]])
    assert row.trained_share == pytest.approx(2_442_240 / 136_957_248) and row.trains


def test_what_is_asked_beside_the_own_task_is_of_a_kind(make):
    inputs = {"earlier": [{"name": "mrpc"}], "also": [{"name": "cb"}], "others": [{"name": "rte"}]}
    (row,) = aggregate([make.record("full", inputs=inputs)[0]])
    kinds = [row.kind(name) for name in ("rte", "mrpc", "cb", "tweets")]
    assert kinds == ["Other tasks", "Earlier tasks", "Tasks not trained on", "Domains"]


def test_mean_over_stages_is_a_share_where_all_tasks_scores_are(make):
    (row,) = aggregate([make.staged(make.stages())])
    assert list(row.stage_quantities) == ["rte", "squad", "sst2"] and row.stage_quantity.share
    (unknown,) = aggregate([make.record("full", stages=make.stages())[0]])
    assert not unknown.stage_quantities["rte"].share and unknown.stage_quantity is None


def test_a_cost_that_one_run_does_not_know_is_not_the_rows(make):
    """Three seeds' mean is not told by two of them."""
    records = [make.record("full", seed)[0] for seed in range(3)]
    (row,) = aggregate(records)
    assert row.spent(lambda cost: cost.train_tokens) == [19_648.0] * 3
    unknown = make.changed(records[1], cost=records[1].cost.model_copy(update={"train_tokens": None}))
    (row,) = aggregate([records[0], unknown, records[2]])
    assert row.spent(lambda cost: cost.train_tokens) == [] and len(row.spent(lambda cost: cost.train_flops)) == 3

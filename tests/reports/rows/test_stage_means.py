"""Means over seeds of what was scored after each stage: their intervals hold other seeds, of rows of the same stages alone."""

import pytest

from reports.rows.rows import aggregate


def run(make, name, seed, **changes):
    stages = make.stages().model_copy(update=changes)
    return make.record(name, seed, stages=stages, run_id=f"{name}{seed}")[0]


def test_the_rows_of_a_table_say_together_how_far_a_seed_moves_a_measure(make):
    """By hand: variances of .0008 and .0002 with a degree of freedom each, so .0005 with two, and t(2) = 4.3027. A row with a
    larger variance of its own keeps that one."""
    found = [run(make, "full", seed, forward_transfer=value) for seed, value in enumerate((0.08, 0.12))]
    found += [run(make, "frozen", seed, forward_transfer=value) for seed, value in enumerate((0.10, 0.12))]
    full, frozen = (row.stages.forward_transfer for row in aggregate(found))
    assert (full.value, frozen.value) == pytest.approx((0.10, 0.11))
    assert full.high - full.value == pytest.approx(4.302653 * (0.0008 / 2) ** 0.5, rel=1e-6)
    assert frozen.value - frozen.low == pytest.approx(4.302653 * (0.0005 / 2) ** 0.5, rel=1e-6)


def test_rows_of_other_stages_have_no_part_in_it(make):
    """What moved there is another number."""
    alone = [run(make, "full", seed, forward_transfer=value) for seed, value in enumerate((0.08, 0.12))]
    others = [
        run(make, "frozen", seed, tasks=["squad", "rte", "sst2"], forward_transfer=value)
        for seed, value in enumerate((0.0, 0.9))
    ]
    (by_itself,), (full, _) = aggregate(alone), aggregate([*alone, *others])
    assert full.stages.forward_transfer == by_itself.stages.forward_transfer


def test_one_seed_has_no_interval(make):
    (row,) = aggregate([run(make, "full", 0)])
    assert row.stages.scores[0][0].value == 0.8
    assert {each.low for each in (row.stages.forgetting, row.stages.scores[0][0])} == {None}


def test_a_share_keeps_within_0_and_1_and_another_score_does_not(make):
    """The last stage's score is the run's own, a share; of the others nothing is known here."""
    high = [[0.99, 0.5, 0.2], [0.7, 0.9, 0.4], [0.75, 0.6, 0.99]]
    low = [[0.80, 0.5, 0.2], [0.7, 0.9, 0.4], [0.75, 0.6, 0.80]]
    (row,) = aggregate([run(make, "full", seed, scores=scores) for seed, scores in enumerate((high, low))])
    assert row.stages.scores[2][2].high < 1 < row.stages.scores[0][0].high

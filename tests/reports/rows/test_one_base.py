"""Rows that were asked in different words are held against one base."""

import pytest

from reports.rows import frontier
from reports.rows.equal_cost import HELD, SPENT, at_cost, frugal_shares
from reports.rows.frontier import frontier_shares
from reports.rows.one_base import on_one_base, one_base
from reports.rows.rows import aggregate


@pytest.fixture
def rows(make, out):
    return aggregate(make.kept(out, make.two_wordings()), out)


def test_the_frontier_is_of_gains_over_one_base(rows):
    assert [row.gain.value for row in rows] == pytest.approx([0.30, 0.40]) and not one_base(rows)
    held = on_one_base(rows)
    assert [row.gain.value for row in held] == pytest.approx([0.30, 0.15])
    assert [row.label for row in frontier.of_rows(held, "wikipedia")] == ["full"]
    assert frontier_shares(held, "wikipedia")["instruction"] < 0.05
    assert frugal_shares(held, HELD["saved"]) == pytest.approx({"full": 1.0, "instruction": 0.0}, abs=0.05)


def test_rows_of_one_base_are_as_they_are(make):
    rows = aggregate([make.record("full")[0], make.record("frozen")[0], make.failed("x")])
    assert one_base(rows) and on_one_base(rows) == rows


def test_a_path_begins_where_the_base_stands_in_the_rows_words(rows):
    full, instruction = on_one_base(rows)
    gained = [[gain for gain, _ in frontier.curve_places(row, "wikipedia")] for row in (full, instruction)]
    assert gained == [pytest.approx([0.0, 0.1, 0.3]), pytest.approx([-0.25, 0.1, 0.2])]
    assert frontier.equal_gain([full, instruction]) == pytest.approx(0.2)
    # 512 examples took 81.5 s: after eight of them it is half way from -.25 to the point at 16.
    cost = 81.5 * 8 / 512
    assert at_cost(instruction, SPENT["training"], cost, lambda point: point.gain, instruction.start) == pytest.approx(-0.075)


def test_a_record_that_knows_one_base_alone_has_no_gain_over_another(make):
    rows = aggregate([make.record("full")[0], make.record("instruction", base_score=0.3)[0]])
    assert [row.gain for row in on_one_base(rows)] == [None, None]


def test_where_lower_is_better_the_best_base_is_the_lowest(make):
    def watched(name, base):
        record = make.record(name, curve=make.curve([(0.1, {})]), base_score=base)[0]
        curve = [point.model_copy(update={"score": base - point.gain}) for point in record.outcome.curve]
        lower = record.outcome.score.model_copy(update={"higher_is_better": False})
        return make.changed(record, score=lower, curve=curve)

    one, other = on_one_base(aggregate([watched("full", 0.5), watched("instruction", 0.7)]))
    assert (one.start, other.start) == pytest.approx((0.0, -0.2)) and other.curve[0].gain == pytest.approx(-0.1)


def test_a_last_digit_is_no_other_base(make):
    """Planted fault: with it all gains were told over the base in its best words."""
    records = [make.record(name)[0] for name in ("full", "frozen")]
    outcome = records[1].outcome
    other = make.changed(records[1], outcome=outcome.model_copy(update={"base_score": outcome.base_score * (1 + 1e-15)}))
    assert other.outcome.base_score != records[0].outcome.base_score
    assert one_base(aggregate([records[0], other]))

"""Each reason not to trust a row is told once."""

from reports.rows.doubts import doubts
from reports.rows.rows import aggregate


def test_each_reason_is_a_sentence(make):
    sound = make.record("full")[0]
    assert list(doubts(aggregate([sound])[0])) == []
    broken = make.changed(sound, checks={"padding": False, "scores": True}, collapsed="it gives every item the same answer")
    told = list(doubts(aggregate([broken])[0]))
    assert told == [
        "full (seed 0) collapsed: it gives every item the same answer",
        "full: the check padding does not hold; don't trust this row",
    ]
    failed = make.record("full", status="failed", reason="out of memory")[0]
    assert list(doubts(aggregate([failed])[0])) == ["full (seed 0) failed: out of memory"]

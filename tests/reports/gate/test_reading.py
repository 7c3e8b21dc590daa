"""Folders of a comparison: results, and results that were accepted."""

from datetime import UTC, datetime

import pytest

from bench.errors import UserError
from reports.gate.accepted import accept
from reports.gate.reading import read_sides


def test_a_folder_without_records_is_an_error(sides, tmp_path):
    old = sides.kept("old", sides.pairs())
    with pytest.raises(UserError, match="no records in .*nothing.*; name a folder that"):
        read_sides(tmp_path / "nothing", old, None)
    with pytest.raises(UserError, match="no records of suite ner in"):
        read_sides(old, old, "ner")


def test_the_newest_accepted_one_is_the_old_side(sides, tmp_path):
    out = sides.kept("out", sides.pairs())
    for day, seeds in ((3, (6, 7)), (1, (8, 9)), (2, (6, 7))):
        accept(
            sides.kept(f"r{day}", sides.pairs(seeds=seeds)), tmp_path / "kept", f"c{day}", datetime(2026, 11, day, tzinfo=UTC)
        )
    new, old, earlier = read_sides(out, tmp_path / "kept", "sentiment")
    assert (new.name, old.name) == (str(out), "2026-11-03 c3")
    assert {record.setup.seed for record in old.records} == {0, 6, 7} and [
        {r.setup.seed for r in each} for each in earlier
    ] == [{0, 6, 7}, {0, 8, 9}]


def test_the_newest_of_a_suite_is_its_old_side_whatever_was_accepted_after_it(sides, tmp_path):
    for day, suite in enumerate(("ner", "sentiment"), start=1):
        accept(sides.kept(suite, sides.pairs(suite=suite)), tmp_path / "kept", suite, datetime(2026, 11, day, tzinfo=UTC))
    new, old, earlier = read_sides(tmp_path / "ner", tmp_path / "kept", "ner")
    assert old.name == "2026-11-01 ner" and {record.setup.suite for record in old.records} == {"ner"} and not earlier
    assert [record.run_id for record in new.records] == [record.run_id for record in old.records]
    with pytest.raises(UserError, match="nothing of suite qa was accepted into .*kept; `tunebench baseline accept OUT --to"):
        read_sides(tmp_path / "ner", tmp_path / "kept", "qa")


def test_a_row_that_only_an_earlier_baseline_has_is_told(sides, tmp_path):
    """Planted fault: a baseline of one row alone was accepted, and no fall of the other was seen from then on."""
    pairs = sides.pairs()
    strategies = sorted({record.setup.strategy for record, _ in pairs})
    alone = [pair for pair in pairs if pair[0].setup.strategy == strategies[0]]
    for day, each in enumerate((pairs, alone), start=1):
        accept(sides.kept(f"r{day}", each), tmp_path / "kept", f"c{day}", datetime(2026, 11, day, tzinfo=UTC))
    with pytest.raises(UserError, match=f"lacks .*: {strategies[1]}, .*: {strategies[2]}, which an earlier one has; accept"):
        read_sides(tmp_path / "r1", tmp_path / "kept", None)
    assert read_sides(tmp_path / "r2", tmp_path / "kept", None)[1].name == "2026-11-02 c2"


def test_a_suite_that_only_an_earlier_baseline_has_is_told(sides, tmp_path):
    """Else its rows would be taken for new ones, and a fall of theirs would pass."""
    for day, suite in enumerate(("ner", "sentiment"), start=1):
        accept(sides.kept(suite, sides.pairs(suite=suite)), tmp_path / "kept", suite, datetime(2026, 11, day, tzinfo=UTC))
    with pytest.raises(UserError, match="the newest baseline lacks ner, which an earlier one has; compare one suite at a time"):
        read_sides(tmp_path / "ner", tmp_path / "kept", None)
    assert read_sides(tmp_path / "sentiment", tmp_path / "kept", None)[1].name.startswith("2026-11-02")

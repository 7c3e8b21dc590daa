"""What is kept of accepted results: all that a comparison needs, small, and never half of it."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from bench.errors import UserError
from bench.records import store
from reports.gate import accepted
from reports.gate.compared import compared
from reports.gate.reading import read_sides
from reports.gate.tolerance import Tolerance
from reports.rows.answers import task_answers
from reports.rows.run_items import RunItems

NOW = datetime(2026, 11, 26, 1, 2, 3, tzinfo=UTC)


def numbers(found):
    return [(c.difference.title, c.difference.value, c.difference.bounds, c.p, c.verdict, c.detectable) for c in found.changes]


def test_a_comparison_with_what_was_kept_is_that_with_the_whole(sides, tmp_path):
    out, new = sides.kept("out", sides.pairs()), sides.kept("new", sides.pairs(full=0.78))
    kept = accepted.accept(out, tmp_path / "kept", "ab12cd34ef567890", NOW)
    assert kept.folder.name == "20261126T010203Z-ab12cd34ef56" and kept.name == "2026-11-26 ab12cd34"
    found, whole = (compared(*read_sides(new, old, None), Tolerance()) for old in (tmp_path / "kept", out))
    assert numbers(found) == numbers(whole) and found.status == 1


def test_only_what_a_comparison_needs_is_kept(make, sides, tmp_path):
    record, frame = make.record("full", 0)
    more = pd.concat([frame.assign(confidence=0.9), frame.head(5).assign(kind="wording")])
    out = sides.kept("out", [(record, more)])
    kept = accepted.accept(out, tmp_path / "kept", None, NOW)
    items = store.read_items(kept.folder, record)
    assert set(items["kind"]) == {"task", "probe"} and "confidence" not in items and len(items) == len(frame)
    assert kept.records == [record]
    before, after = (store.folder(place) / f"{record.run_id}.parquet" for place in (out, kept.folder))
    assert after.stat().st_size < before.stat().st_size


def test_failed_runs_alone_are_no_baseline(make, sides, tmp_path):
    out = sides.kept("out", [(make.failed(), None)])
    with pytest.raises(UserError, match="no results with a score"):
        accepted.accept(out, tmp_path / "kept", None, NOW)


def test_a_folder_held_against_what_was_accepted_of_it_has_no_news(make, sides, tmp_path):
    """A seed that failed is kept, and fails again."""
    out = sides.kept("out", [*sides.pairs(), (make.failed("full", 9), None)])
    kept = accepted.accept(out, tmp_path / "kept", None, NOW)
    assert len(kept.records) == 8 and len(list(store.folder(kept.folder).glob("*.parquet"))) == 7
    found = compared(*read_sides(out, tmp_path / "kept", None), Tolerance())
    assert found.status == 0 and not found.broken


def test_what_was_stopped_half_way_is_no_baseline(sides, tmp_path):
    out = sides.kept("out", sides.pairs())
    kept = accepted.accept(out, tmp_path / "kept", "one", NOW)
    left = kept.folder.rename(kept.folder.with_name(f".{kept.folder.name}"))  # as what is still being written is called
    assert accepted.accepted_in(tmp_path / "kept") == []
    left.rename(kept.folder)
    (kept.folder / accepted.ACCEPTED_NOTE).unlink()
    assert accepted.accepted_in(tmp_path / "kept") == [] and accepted.accepted_in(tmp_path / "none") == []


def test_a_note_that_is_none_is_named(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / accepted.ACCEPTED_NOTE).write_text("{}")
    with pytest.raises(UserError, match=r"one/accepted.json: not the note of an accepted baseline \(Field required\)"):
        accepted.accepted_in(tmp_path)


def test_what_is_accepted_in_the_same_second_replaces_nothing(make, sides, tmp_path):
    others = [(make.changed(record, suite="other", run_id=f"b{record.run_id[1:]}"), frame) for record, frame in sides.pairs()]
    out = sides.kept("out", [*sides.pairs(), *others])
    now = datetime(2026, 11, 28, tzinfo=UTC)
    for suite in ("sentiment", "other"):
        accepted.accept(out, tmp_path / "kept", "abc", now, suite)
    found = accepted.accepted_in(tmp_path / "kept")
    assert [each.folder.name for each in found] == ["20261128T000000Z-abc", "20261128T000000Z-abc-2"]
    assert [{record.setup.suite for record in each.records} for each in found] == [{"sentiment"}, {"other"}]


def test_baselines_stand_in_the_order_of_their_dates(sides, tmp_path):
    out = sides.kept("out", sides.pairs())
    for day in (2, 3, 1):
        accepted.accept(out, tmp_path / "kept", "../e vil", datetime(2026, 11, day, tzinfo=UTC))
    assert [each.folder.name for each in accepted.accepted_in(tmp_path / "kept")] == [
        f"2026110{day}T000000Z-evil" for day in (1, 2, 3)
    ]


def test_entities_that_training_has_are_known_of_what_was_kept(make, sides, tmp_path):
    record, frame = make.entities("full", 0)
    out = sides.kept("out", [(record, frame.assign(seen="[[0, 2]]").mask(frame["kind"] != "task"))])
    kept = accepted.accept(out, tmp_path / "kept", None, NOW)
    whole, small = (
        [
            task_answers([RunItems.of_run(folder, record)], "sst2", name).after.values.item()
            for name in ("entity_f1", "entity_f1_seen", "entity_f1_unseen")
        ]
        for folder in (out, kept.folder)
    )
    assert small == whole and len(set(whole)) == 3

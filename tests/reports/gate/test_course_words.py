"""A row's course in words, worked out by hand."""

from datetime import UTC, datetime

import pytest

from reports.gate.accepted import accept
from reports.gate.course_words import changes_of, course_level, course_title
from reports.gate.history import courses


@pytest.fixture
def found(make, tmp_path):
    """The courses of one row, whose score falls once and rises again, by the probe that each is of."""
    for day, full in enumerate((0.85, 0.85, 0.7, 0.7, 0.8, 0.8), start=1):
        make.kept(tmp_path / str(day), [make.record("full", 3 * day + seed, full + 0.005 * seed) for seed in range(3)])
        accept(tmp_path / str(day), tmp_path / "kept", f"c{day}", datetime(2026, 11, day, tzinfo=UTC))
    return {course.probe: course for course in courses(tmp_path / "kept")}


def test_a_line_for_each_change_with_the_levels_on_both_sides_of_it(found):
    assert changes_of(found[""]) == [
        "full: score .855 before, .705 from 2026-11-03 c3 on (-15.0 points)",
        "full: score .705 before, .805 from 2026-11-05 c5 on (+10.0 points)",
    ]
    assert changes_of(found["wikipedia"]) == []


def test_a_loss_is_named_after_its_probe_and_has_a_sign(found):
    score, lost = found[""], found["arc-easy"]
    assert (course_title(score), course_title(lost)) == ("score", "forgets arc-easy")
    assert (course_level(score, 0.5), course_level(lost, 0.5), course_level(lost, -0.5)) == (".500", "+50.0", "-50.0")

"""Durations in words."""

from bench.durations import lasting


def test_a_duration_is_told_in_the_unit_that_a_person_would_use():
    assert [lasting(seconds) for seconds in (5, 89, 90, 720, 7200)] == ["5 s", "89 s", "2 min", "12 min", "2.0 h"]

"""Sentences for what goes wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import FormatError, RunError, UserError, unknown

NAMES = ["sentiment", "entailment", "sarcasm"]


@given(st.sampled_from(NAMES), st.data())
def test_a_slip_of_the_finger_names_what_was_meant(name, data):
    place = data.draw(st.integers(0, len(name) - 1))
    error = unknown("task", name[:place] + name[place + 1 :], NAMES)
    assert isinstance(error, UserError)
    assert str(error).startswith("unknown task '") and f"did you mean {name}" in str(error)


def test_without_a_near_name_all_are_listed_in_order():
    assert str(unknown("task", "xyz", NAMES)) == "unknown task 'xyz'; known: entailment, sarcasm, sentiment"
    assert str(unknown("task", "xyz", iter(()))) == "unknown task 'xyz'; known: none"


def test_a_place_in_a_file_is_a_value_error_and_no_users_error():
    """`formats.records` catches it to add the file's name, and must not let a UserError through as one."""
    with pytest.raises(ValueError, match=r"^line 3: not JSON$"):
        raise FormatError("line 3", "not JSON")
    assert not issubclass(FormatError, UserError)


def test_the_two_exit_codes_are_told_apart_by_class():
    assert not issubclass(RunError, UserError) and not issubclass(UserError, RunError)

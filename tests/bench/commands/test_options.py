"""Options that several commands have, from a user's word to a value."""

import pytest

from bench.commands.options import comma_separated, finite_limit, size
from bench.errors import UserError


@pytest.mark.parametrize(
    ("text", "names"), [(None, None), ("a", ["a"]), (" a , b ,", ["a", "b"]), ("sst2=3,rte", ["sst2=3", "rte"]), (",", [])]
)
def test_names_stand_between_commas(text, names):
    assert comma_separated(text) == names


def test_a_limit_is_finite():
    assert [finite_limit("--max-seconds", number) for number in (None, 0.0, -1.5)] == [None, 0.0, -1.5]
    for number in (float("inf"), float("-inf"), float("nan")):
        with pytest.raises(UserError, match=f"--max-seconds {number} is no limit"):
            finite_limit("--max-seconds", number)


def test_a_size_is_bytes():
    assert [size("--max-memory", text) for text in (None, "4GB", "500MB")] == [None, 4_000_000_000, 500_000_000]
    for text in ("much", "90s", "4GB,90s", "2000examples"):
        with pytest.raises(UserError, match=f"--max-memory '{text}' is no size; write it like 4GB or 500MB"):
            size("--max-memory", text)

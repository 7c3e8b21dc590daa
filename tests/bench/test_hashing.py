import pytest

from bench.hashing import code_digest, digest


def test_equal_values_have_one_id():
    assert digest({"b": [1, None], "a": "x"}) == digest({"a": "x", "b": [1, None]})
    assert digest({"a": 1}) == "f9d86028c6e0d64e"  # SHA-256 of {"a": 1}: an id of today is an id of next year


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1.5}, {"a": "1"}, {"a": None}, {"b": 1}, {}, {"a": [1]}])
def test_other_values_have_other_ids(other):
    assert digest(other) != digest({"a": 1})


def test_code_counts_by_its_text_and_order(tmp_path):
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("x = 1\n")
    other.write_text("x = 2\n")
    assert code_digest([one, other]) == digest(["x = 1\n", "x = 2\n"]) != code_digest([other, one])

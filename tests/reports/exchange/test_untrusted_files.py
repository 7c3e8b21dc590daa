"""What is read of a stranger's file: JSON objects of bounded size with values of their types, and nothing else."""

import os
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import FormatError
from reports.exchange import untrusted_files
from reports.exchange.untrusted_files import Given, read_lines, read_object

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_an_object_and_its_bytes(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a": {"b": 3}}')
    found, content = read_object(path)
    assert found["a"]["b"].whole() == 3 and found["a"]["b"].place == "a.b" and content == path.read_bytes()
    assert found.get("c") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "file: is not JSON"),
        (b"[1]", "file: is not a JSON object"),
        (b"{", "file: is not JSON"),
        (b"\xff\xfe{}", "file: is not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "file: is not JSON"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "file: is not JSON"),
        (pickle.dumps({"a": 1}), "file: is not JSON"),
    ],
)
def test_what_is_no_json_object(tmp_path, content, said):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=said):
        read_object(path)


def test_a_pickle_is_never_loaded(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    path = tmp_path / "a.json"
    path.write_bytes(pickle.dumps(Harm()))
    with pytest.raises(FormatError):
        read_object(path)
    assert not (tmp_path / "harm").exists()


def test_sizes_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(untrusted_files, "MOST_BYTES", 2**20)
    path = tmp_path / "a.json"
    path.write_text('{"a": "' + "b" * 2**20 + '"}')
    with pytest.raises(FormatError, match="file: is larger than 1 MiB"):
        read_object(path)
    with pytest.raises(FormatError, match="line 1: is larger than 1 MiB"):
        list(read_lines(path))
    monkeypatch.setattr(untrusted_files, "MOST_LINES", 2)
    path.write_text("{}\n{}\n{}\n")
    with pytest.raises(FormatError, match="more than 2 lines"):
        list(read_lines(path))


def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for read in (read_object, lambda path: list(read_lines(path))):
        with pytest.raises(FormatError, match="is no plain file"):
            read(tmp_path / "pipe.json")


def test_half_a_character_becomes_a_question_mark(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a": "x\\ud800y", "b": "\\ud83d\\ude00"}')
    found, _ = read_object(path)
    assert found["a"].text() == "x?y" and found["b"].text() == "😀"


def test_lines_know_their_number(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n{"a": "x"}\n')
    first, second = read_lines(path)
    assert first["a"].whole() == 1
    with pytest.raises(FormatError, match='line 3.a: "x" is not a finite number'):
        second["a"].number()
    path.write_text('{"a": 1}\n{')
    with pytest.raises(FormatError, match="line 2: is not JSON"):
        list(read_lines(path))


def test_settings_are_few_and_finite():
    assert Given({"a": [1, {"b": None}], "c": "d"}).settings() == {"a": [1, {"b": None}], "c": "d"}
    deep = {}
    for _ in range(400):  # what a record is written by has no room for so many levels
        deep = {"a": deep}
    with pytest.raises(FormatError, match="is not an object of at most 20 levels"):
        Given(deep, "place").settings()
    for bad in ({"a": [float("nan")]}, {"a": "x" * 5_000}, {"a": list(range(100_001))}, 3):
        with pytest.raises(FormatError):
            Given(bad, "place").settings()


@settings(max_examples=40)
@given(JSON)
def test_any_value_is_taken_or_named(value):
    found = Given(value, "place")
    for ask in (
        Given.text,
        Given.number,
        Given.whole,
        Given.last,
        Given.settings,
        lambda each: each["a"],
        lambda each: list(each.parts()),
    ):
        try:
            ask(found)
        except FormatError as error:
            assert str(error).startswith("place")

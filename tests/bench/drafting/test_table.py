"""A file as columns: what they hold, how many rows there are, and which are read."""

import json

import pytest
from own_files import as_csv, reviews

from bench.drafting import table
from bench.drafting.table import FileColumn, opened
from bench.drafting.wishes import Wishes
from bench.errors import UserError


def test_columns_are_told_by_what_they_hold(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [
        {
            "text": f"some words {i}",
            "stars": i % 5,
            "tags": ["a", "b"],
            "answers": {"text": ["x"], "start": [i]},
            "spans": [{"t": "y"}],
        }
        for i in range(20)
    ]
    path.write_text("\n".join(map(json.dumps, [*rows, {"text": " ", "stars": None, "tags": [], "answers": {}, "spans": []}])))
    found = opened(str(path), Wishes())
    assert (found.rows, found.total) == (21, 21) and {"answers.text", "answers.start", "spans.t"} <= set(found.columns)
    text, stars = found.columns["text"], found.columns["stars"]
    assert text.words == 3 and text.blank == {" ": 1} and not text.numbers and len(text.counts) == 20
    assert stars.numbers and stars.repeats == 4 and found.columns["tags"].lists and not text.lists
    with pytest.raises(UserError, match="--label nose: no such column; there are: text, stars"):
        found.column("nose", "label")


def test_a_list_of_unlike_entries_is_a_list(tmp_path):
    path = tmp_path / "mixed.jsonl"
    path.write_text(json.dumps({"text": "x", "meta": [{"k": 1}, "y", None]}))
    assert opened(str(path), Wishes()).columns["meta"].values == [["{'k': 1}", "y", ""]]


def test_nan_is_a_missing_number_and_elsewhere_a_word():
    numbers = FileColumn("label", ["1", "0", "nan", " NaN", "1"])
    assert numbers.numbers and numbers.counts == {"1": 2, "0": 1} and numbers.blank == {"nan": 1, " NaN": 1}
    words = FileColumn("relative", ["nan", "aunt"])
    assert not words.numbers and words.counts == {"nan": 1, "aunt": 1} and not words.blank
    assert not FileColumn("bound", ["inf", "1"]).numbers


def test_of_a_big_file_a_sample_is_read_and_told(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text(as_csv(["text", "label"], [list(row) for row in reviews(300)]))
    monkeypatch.setattr(table, "ROWS", 100)
    found = opened(str(path), Wishes())
    assert (found.rows, found.total) == (100, 300) and found.guesses[-1].value == "100 of 300 rows"
    assert opened(str(path), Wishes(sample=0)).rows == 300 and opened(str(path), Wishes(sample=7)).rows == 7


def test_a_folder_is_a_data_set(tmp_path):
    for name, count in (("train", 30), ("test", 9)):
        (tmp_path / f"{name}.csv").write_text(as_csv(["text", "label"], [list(row) for row in reviews(count)]))
    found = opened(str(tmp_path), Wishes())
    assert found.origin == {"hub": str(tmp_path), "split": "train"} and found.rows == 30
    assert found.split_origins == {"test": {"hub": str(tmp_path), "split": "test"}} and set(found.columns) == {"text", "label"}
    assert opened(str(tmp_path), Wishes(test="none")).split_origins == {}


def test_what_is_not_there_is_told(tmp_path):
    (tmp_path / "empty.csv").write_text("text,label\n")
    (tmp_path / "train.csv").write_text("text,label\na,b\n")
    for what, given, sentence in (
        ("nowhere.csv", Wishes(), "'nowhere.csv' does not exist; name a file, or a data set on a hub as owner/name"),
        (str(tmp_path / "empty.csv"), Wishes(), "empty.csv: it holds no rows|no rows"),
        (str(tmp_path / "train.csv"), Wishes(test="gone.csv"), "'gone.csv' does not exist"),
        (str(tmp_path / "train.csv"), Wishes(config="x"), "--config is of a data set on a hub, and '.*train.csv' is a file"),
        (str(tmp_path), Wishes(test="gone.csv"), "speak of a file, and '.*' is a data set with splits of its own"),
    ):
        with pytest.raises(UserError, match=sentence):
            opened(what, given)


def test_a_data_set_on_a_hub_may_have_a_dot_in_its_name(monkeypatch):
    monkeypatch.setattr(table, "_hub_table", lambda name, given: name)
    for name in ("stanfordnlp/imdb", "argilla/magpie-ultra-v1.0"):
        assert opened(name, Wishes()) == name
    for file in ("data/nowhere.csv", "data/nowhere.jsonl.gz", "data/nowhere.TXT"):
        with pytest.raises(UserError, match=f"'{file}' does not exist"):
            opened(file, Wishes())


def test_a_value_that_pandas_missed_is_none(tmp_path):
    path = tmp_path / "missing.jsonl"
    path.write_text('{"text": "x", "label": NaN, "tags": ["a", NaN]}')
    found = opened(str(path), Wishes()).columns
    assert found["label"].values == [""] and found["tags"].values == [["a", ""]]

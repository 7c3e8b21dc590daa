import bz2
import gzip
import io
import json
from typing import get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsing import read

from bench.data import formats
from bench.specs.source import Format


def test_every_format_has_a_parser_and_an_ending():
    assert {*formats.PARSERS, "csv", "tsv"} == set(get_args(Format))
    assert set(formats.ENDINGS.values()) == set(get_args(Format)) - {"squad"}


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r\t"), max_size=8)
FILLED = st.tuples(PLAIN, PLAIN).filter(lambda row: "".join(row).strip())


@given(st.lists(st.tuples(CELL, CELL), min_size=1))
def test_csv_gives_back_what_pandas_writes(rows):
    frame = pd.DataFrame(rows, columns=["a", "b"])
    found = read("x.csv", frame.to_csv(index=False, lineterminator="\r\n"))
    assert [values for _, values in found] == frame.to_dict("records")


@given(st.lists(FILLED, min_size=1))
def test_tsv_gives_back_what_pandas_writes(rows):
    frame = pd.DataFrame(rows, columns=["a", "b"])
    found = read("x.tsv", frame.to_csv(index=False, sep="\t", lineterminator="\n"))
    assert [values for _, values in found] == frame.to_dict("records")


def test_csv_lines_are_the_files_own():
    content = 'a,b\r\n"two\nlines",1\r\n\r\nlast,2\r\n'
    assert read("x.csv", content) == [("line 2", {"a": "two\nlines", "b": "1"}), ("line 5", {"a": "last", "b": "2"})]


def test_quotes_in_a_tsv_are_text_unless_they_stand_around_the_cell():
    content = 'a\tb\n"Sin City" is "great"\tit said "\n"he said ""no"""\t""\n'
    assert [tuple(values.values()) for _, values in read("x.tsv", content)] == [
        ('"Sin City" is "great"', 'it said "'),
        ('he said "no"', ""),
    ]


def test_a_header_names_the_columns_of_a_file_without():
    assert read("x.txt", "1\ta\n2\tb\n", kind="tsv", header=["n", "t"]) == [
        ("line 1", {"n": "1", "t": "a"}),
        ("line 2", {"n": "2", "t": "b"}),
    ]


def test_a_byte_order_mark_is_no_part_of_a_name():
    marked = b"\xef\xbb\xbfa\n1\n"
    assert read("x.csv", marked) == [("line 2", {"a": "1"})]
    for named in ("utf-8", "UTF8"):  # as a person may name it
        assert list(formats.parse_file("x.csv", marked, formats.Form(encoding=named))) == [("line 2", {"a": "1"})]


LONG = "x" * 200_000


def test_a_long_cell():
    assert read("x.csv", f"a\n{LONG}\n") == [("line 2", {"a": LONG})]


def test_jsonl_lines_end_at_newlines_alone():
    content = '{"a": "one\u2028two"}\n\n  \n{"a": "x"}\r\n'
    assert read("x.jsonl", content) == [("line 1", {"a": "one\u2028two"}), ("line 4", {"a": "x"})]


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"version": "1", "data": rows}])
def test_json_is_a_list_or_holds_one(wrap):
    content = json.dumps(wrap([{"a": 1}, {"a": 2}]), indent=1)
    assert read("x.json", content) == [("row 1", {"a": 1}), ("row 2", {"a": 2})]


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress)])
def test_packed_files(ending, pack):
    assert read(f"x.jsonl.{ending}", pack(b'{"a": 1}')) == [("line 1", {"a": 1})]
    assert read(f"x.txt.{ending}", pack(b"a\n1"), kind="csv") == [("line 2", {"a": "1"})]


def test_arrow_stream_and_file_and_parquet_are_the_same():
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"words": ["a", "b"], "n": {"m": 1}}, {"words": [], "n": {"m": None}}]
    table = pa.Table.from_pylist(rows)
    for new in (pa.ipc.new_stream, pa.ipc.new_file):
        sink = io.BytesIO()
        with new(sink, table.schema) as writer:
            writer.write_table(table)
        assert read("x.arrow", sink.getvalue()) == [("row 1", rows[0]), ("row 2", rows[1])]
    sink = io.BytesIO()
    pq.write_table(table, sink)
    assert read("x.parquet", sink.getvalue()) == [("row 1", rows[0]), ("row 2", rows[1])]


def test_what_datasets_saves_is_what_it_loads(tmp_path):
    import datasets

    made = datasets.Dataset.from_dict({"t": ["a", "b"], "tags": [[0, 1], [1]]})
    made.save_to_disk(tmp_path / "saved")
    (path,) = (tmp_path / "saved").glob("*.arrow")
    assert [values for _, values in read(str(path), path.read_bytes())] == made.to_list()


def test_half_an_emoji_is_the_replacement_character():
    lines = rb'{"t": "cut \ud83d"}' + b"\n" + rb'{"t": "whole \uD83D\uDE00", "n": [1.5, null, "\ude00"]}'
    found = [record for _, record in formats.parse_file("a.jsonl", lines)]
    assert found == [{"t": "cut \ufffd"}, {"t": "whole \N{GRINNING FACE}", "n": [1.5, None, "\ufffd"]}]


def test_columns_of_pandas_are_rows():
    frame = pd.DataFrame({"t": ["x", "y"], "n": [1, None]}, index=[7, 9])
    assert [record for _, record in formats.parse_file("a.json", frame.to_json().encode())] == [
        {"t": "x", "n": 1.0},
        {"t": "y", "n": None},
    ]

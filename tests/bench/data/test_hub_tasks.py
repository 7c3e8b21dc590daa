"""The tasks of well-known hub sets, on stand-ins with the features that their pages publish."""

import datasets
import pytest
from datasets import ClassLabel, Features, List, Value

from bench.specs.library import Library
from bench.tasks import splits, types

CONLL = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]
WNUT = ["corporation", "creative-work", "group", "location", "person", "product"]
WNUT_TAGS = ["O", *(f"{prefix}-{name}" for name in WNUT for prefix in "BI")]
WORDS = ["EU", "rejects", "German", "call", "number"]


def tagged(names, tags, number):
    rows = {"id": [], "tokens": [], "ner_tags": []}
    for i in range(number):
        rows["id"].append(str(i))
        rows["tokens"].append([*WORDS, f"w{i}", f"v{i}"])
        rows["ner_tags"].append([names.index(tag) for tag in [*tags, "O", "O"]])
    features = {"id": Value("string"), "tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=names))}
    return datasets.Dataset.from_dict(rows, features=Features(features))


def questions(number, every):
    rows = {name: [] for name in ("id", "title", "context", "question", "answers")}
    for i in range(number):
        context = f"The {i}th river, river{i}, flows through town{i} and many other towns of land{i}."
        answered = i % every == 0
        start = context.index(f"town{i} ")
        rows["id"].append(str(i))
        rows["title"].append(f"title {i}")
        rows["context"].append(context)
        rows["question"].append(f"Through which place does river{i} flow first?")
        rows["answers"].append({"text": [f"town{i}"] * answered, "answer_start": [start] * answered})
    answers = {"text": List(Value("string")), "answer_start": List(Value("int32"))}
    text = {name: Value("string") for name in ("id", "title", "context", "question")}
    return datasets.Dataset.from_dict(rows, features=Features({**text, "answers": answers}))


def labelled(column, names, number):
    rows = {column: [f"text {i} of kind{i} seen{i} here{i}" for i in range(number)], "label": [i % 2 for i in range(number)]}
    return datasets.Dataset.from_dict(rows, features=Features({column: Value("string"), "label": ClassLabel(names=names)}))


STAND_INS = {
    "nyu-mll/glue": lambda n: labelled("sentence", ["negative", "positive"], n),
    "stanfordnlp/imdb": lambda n: labelled("text", ["neg", "pos"], n),
    "eriktks/conll2003": lambda n: tagged(CONLL, ["B-ORG", "O", "B-MISC", "O", "O"], n),
    "leondz/wnut_17": lambda n: tagged(WNUT_TAGS, ["B-group", "O", "O", "O", "O"], n),
    "rajpurkar/squad": lambda n: questions(n, every=1),
    "rajpurkar/squad_v2": lambda n: questions(n, every=2),
    "Abirate/english_quotes": lambda n: datasets.Dataset.from_dict(
        {"quote": [f"quote {i} by me{i} and you{i}" for i in range(n)], "author": ["me"] * n}
    ),
}
SIZES = {"train": 300, "validation": 20, "test": 20}
ROWS = {"train": range(300), "validation": range(300, 320), "test": range(320, 340)}


@pytest.mark.parametrize("name", ["glue-sst2", "imdb", "conll2003", "wnut17", "squad-v1", "squad-v2", "english-quotes"])
def test_a_hub_task_reads_its_published_features(name, monkeypatch):
    asked = []

    def load_dataset(hub, config=None, split=None, revision=None):
        asked.append((hub, split))
        return STAND_INS[hub](sum(SIZES.values())).select(ROWS[split])

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    spec = Library().task(name)
    found = splits.load_splits(spec)
    kind = types.task_type(spec)
    assert asked and len(found.test) >= 10 and len(found.train) > 200
    if kind.asks != "read":
        assert all(kind.answer(example) for example in found.test)
    if name == "squad-v2":
        assert {bool(example.gold) for example in found.test} == {True, False}
        assert {kind.answer(example) for example in found.test if not example.gold} == {"unanswerable"}
    if name == "squad-v1":
        example = found.test[0]
        assert example.fields["context"][int(example.fields["start"]) :].startswith(example.gold[0])
    if name == "conll2003":
        assert kind.answer(found.test[0]) == "EU (organisation); German (other)"


@pytest.mark.parametrize("name", ["glue-sst2", "imdb", "conll2003", "wnut17", "squad-v1", "squad-v2"])
def test_a_hub_suite_names_what_exists(name):
    library = Library()
    suite = library.suite(name)
    assert suite.tasks == [name] and suite.models == ["distilbert-base-uncased"]
    for probe in suite.probes:
        library.probe(probe)
    for strategy in suite.strategies:
        library.strategy(strategy)

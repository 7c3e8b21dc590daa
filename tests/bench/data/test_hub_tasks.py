"""The tasks of well-known hub sets, on stand-ins with the features that their pages publish."""

import datasets
import pytest
from datasets import ClassLabel, Features, List, Translation, Value

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


def exam(number):
    said = {name: [f"{name} drug{i}" for i in range(number)] for name in ("opa", "opb", "opc", "opd")}
    rows = {"question": [f"Which drug helps against illness{i} of organ{i}?" for i in range(number)], **said}
    features = {name: Value("string") for name in rows} | {"cop": ClassLabel(names=["a", "b", "c", "d"])}
    return datasets.Dataset.from_dict(rows | {"cop": [i % 4 for i in range(number)]}, features=Features(features))


def provisions(number):
    """With the names that the hub gives its classes, in its order."""
    names = Library().task("ledgar").labels
    rows = {
        "text": [f"Party{i} shall pay{i} what party{i} owes{i}." for i in range(number)],
        "label": [i % 100 for i in range(number)],
    }
    return datasets.Dataset.from_dict(rows, features=Features({"text": Value("string"), "label": ClassLabel(names=names)}))


def terms(number):
    kinds = ["Limitation of liability", "Unilateral termination", "Unilateral change", "Content removal"]
    kinds += ["Contract by using", "Choice of law", "Jurisdiction", "Arbitration"]
    of = [[], [7], [], [0, 3], [], [], [4]]
    rows = {"text": [f"we{i} may end{i} this{i}" for i in range(number)], "labels": [of[i % 7] for i in range(number)]}
    features = {"text": Value("string"), "labels": List(ClassLabel(names=kinds))}
    return datasets.Dataset.from_dict(rows, features=Features(features))


def sentences(number):
    said = {"deu": "Das ist Haus{i} Nummer{i}.", "eng": "This is house{i}.", "nld": "Dit is huis{i}."}
    rows = {f"sentence_{name}_Latn": [text.format(i=i) for i in range(number)] for name, text in said.items()}
    return datasets.Dataset.from_dict(rows)


def holdings(number):
    endings = [[f"{letter}{i} holds{i} so{i} there{i}" for letter in "abcde"] for i in range(number)]
    rows = {"context": [f"court{i} of town{i} said{i} <HOLDING> in case{i}" for i in range(number)], "endings": endings}
    features = {"context": Value("string"), "endings": List(Value("string")), "label": ClassLabel(names=list("01234"))}
    return datasets.Dataset.from_dict(rows | {"label": [i % 5 for i in range(number)]}, features=Features(features))


def research(number):
    rows = {
        "question": [f"Does drug{i} help against illness{i}?" for i in range(number)],
        "context": [{"contexts": [f"part {i}"], "labels": ["METHODS"]} for i in range(number)],
        "long_answer": [f"It was found that drug{i} helps patients{i}." for i in range(number)],
        "final_decision": [("yes", "no", "maybe")[i % 3] for i in range(number)],
    }
    return datasets.Dataset.from_dict(rows)


def translated(number):
    rows = {"translation": [{"de": f"Das ist Haus{i} Nummer{i}.", "en": f"This is house{i}."} for i in range(number)]}
    return datasets.Dataset.from_dict(rows, features=Features({"translation": Translation(languages=["de", "en"])}))


def requests(number):
    kinds = ("open_qa", "closed_qa")
    rows = {
        "instruction": [f"Tell me of town{i} and river{i}" for i in range(number)],
        "context": ["" if i % 10 else "a text" for i in range(number)],
        "response": [f"Town{i} is big.\nIt has a river." for i in range(number)],
        "category": [kinds[i % 10 == 0] for i in range(number)],
    }
    return datasets.Dataset.from_dict(rows)


STAND_INS = {
    "openlifescienceai/medmcqa": exam,
    "coastalcph/lex_glue case_hold": holdings,
    "coastalcph/lex_glue ledgar": provisions,
    "coastalcph/lex_glue unfair_tos": terms,
    "mteb/flores": sentences,
    "qiaojin/PubMedQA": research,
    "takala/financial_phrasebank": lambda n: labelled("sentence", ["negative", "neutral", "positive"], n),
    "wmt/wmt16": translated,
    "databricks/databricks-dolly-15k": requests,
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
ROWS = {"train": range(300), "validation": range(300, 320), "test": range(320, 340)}
ROWS |= {"dev": ROWS["train"], "devtest": ROWS["test"]}


FIELDS = [
    "medmcqa-hub",
    "case-hold",
    "pubmedqa",
    "financial-phrasebank",
    "wmt16-de-en",
    "dolly",
    "ledgar",
    "unfair-tos",
    "flores-de-en",
]


@pytest.mark.parametrize(
    "name", ["glue-sst2", "imdb", "conll2003", "wnut17", "squad-v1", "squad-v2", "english-quotes", *FIELDS]
)
def test_a_hub_task_reads_its_published_features(name, monkeypatch):
    asked = []

    def load_dataset(hub, config=None, split=None, revision=None):
        asked.append((hub, split))
        make = STAND_INS.get(f"{hub} {config}") or STAND_INS[hub]
        return make(ROWS["test"].stop).select(ROWS[split])

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    spec = Library().task(name)
    found = splits.load_splits(spec)
    kind = types.task_type(spec)
    assert asked and len(found.test) >= 10 and len(found.train) > (100 if name == "pubmedqa" else 200)
    if kind.asks != "read":
        assert all(kind.answer(example) for example in found.test)
    if name == "unfair-tos":
        kinds = {int(example.fields["text"].split()[0].removeprefix("we")): example.gold for example in found.test}
        assert all(gold == ("unfair" if number % 7 in (1, 3, 6) else "fair") for number, gold in kinds.items())
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

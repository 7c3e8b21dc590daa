"""Files as people have them: fifteen unlike shapes, each written with what is to be found in it."""

import csv
import io
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

GOOD = ["loved", "great", "wonderful", "moving", "charming", "brilliant", "funny", "delightful", "superb", "touching"]
BAD = ["boring", "awful", "dull", "tedious", "clumsy", "terrible", "weak", "lifeless", "stupid", "painful"]
THINGS = ["plot", "cast", "score", "camera", "ending", "script", "director", "pacing", "dialogue", "story"]
NAMES = ["Ann Lee", "Bo Chen", "Cem Kaya", "Dora Smith", "Eva Braun", "Finn Berg", "Gus Roy", "Hal Ito"]
PLACES = ["Oslo", "Lima", "Kyoto", "Accra", "Turin", "Perth"]


def reviews(count: int = 160, seed: int = 0) -> list[tuple[str, str]]:
    """Texts that differ, with their labels."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        label = "good" if chance.random() < 0.55 else "bad"
        one, other = chance.sample(GOOD if label == "good" else BAD, 2)
        thing, rest = chance.sample(THINGS, 2)
        found.append(
            (f"The {thing} of number {number} was {one}, its {rest} {other} at minute {chance.randrange(10**6)}.", label)
        )
    return found


def as_csv(header: list[str], rows: list[list[Any]], **how: Any) -> str:
    text = io.StringIO()
    csv.writer(text, **how).writerows([header, *rows])
    return text.getvalue()


def sentences(count: int = 120) -> list[list[tuple[str, str]]]:
    """Words with their tags."""
    chance = random.Random(1)
    found = []
    for number in range(count):
        name, place = chance.choice(NAMES).split(), chance.choice(PLACES)
        start = [(f"w{number}", "O"), ("Yesterday", "O")]
        found.append([*start, (name[0], "B-PER"), (name[1], "I-PER"), ("saw", "O"), (place, "B-LOC"), (".", "O")])
    return found


WORDS = [
    a + b for a in ("stone", "river", "cloud", "wheel", "candle") for b in ("a", "en", "is", "ow", "urn", "ap", "el", "id")
]


def squad(count: int = 150) -> dict[str, Any]:
    articles = []
    for number in range(count // 3):
        words = random.Random(number).sample(WORDS, 30)
        sells = f"sells {THINGS[number % 10]}s for {number + 3} coins"
        context = f"{' '.join(words[:15])} {NAMES[number % 8]} {sells}, {' '.join(words[15:])}."
        asked = {
            "Who lives there?": NAMES[number % 8],
            "What is sold?": THINGS[number % 10] + "s",
            "For how much?": f"{number + 3} coins",
        }
        entries = [
            {"id": f"{number}-{i}", "question": question, "answers": [{"text": said, "answer_start": context.index(said)}]}
            for i, (question, said) in enumerate(asked.items())
        ]
        articles.append({"title": f"town {number}", "paragraphs": [{"context": context, "qas": entries}]})
    return {"version": "1.1", "data": articles}


@dataclass(frozen=True)
class Shape:
    """A file, and what a draft of it says; or the sentence that says what is missing."""

    name: str
    content: bytes
    type: str = "classification"
    columns: dict[str, str] = field(default_factory=lambda: {"text": "text", "label": "label"})
    labels: tuple[str, ...] = ("bad", "good")
    source: dict[str, Any] = field(default_factory=dict)
    """Further fields of the training source."""
    sentence: str = ""
    options: dict[str, str] = field(default_factory=dict)
    """What a person says after the sentence, with which a draft comes about."""

    def write(self, folder: Path) -> Path:
        path = folder / self.name
        path.write_bytes(self.content)
        return path


def _conll(columns: int) -> bytes:
    between = " NN B-NP " if columns == 4 else " "
    return "\n\n".join("\n".join(f"{word}{between}{tag}" for word, tag in each) for each in sentences()).encode()


def _parquet() -> bytes:
    frame = pd.DataFrame([{"tokens": [w for w, _ in each], "ner_tags": [t for _, t in each]} for each in sentences()])
    to = io.BytesIO()
    frame.to_parquet(to)
    return to.getvalue()


def _shapes() -> list[Shape]:
    rows = [list(row) for row in reviews()]
    numbers = [[text, "1" if label == "good" else "0", label] for text, label in reviews()]
    broken = [[text.replace(" was ", ' was\n"so ').replace(", its", '", its'), label] for text, label in reviews()]
    umlaut = [[text.replace("The", "Très"), label] for text, label in reviews()]
    lines = [json.dumps({"review": {"body": text}, "stars": 5 if label == "good" else 1}) for text, label in reviews()]
    films = [[text, label, f"film {i // 5}"] for i, (text, label) in enumerate(sorted(reviews(), key=lambda row: row[1]))]
    divided = [[text, label, "train" if i % 5 else "test"] for i, (text, label) in enumerate(reviews())]
    empty = as_csv(["text", "label"], rows).replace("\r\n", "\r\n\r\n") + "\r\n,good\r\nno label here at all,\r\n"
    tagged = {"words": "0", "tags": "-1"}
    return [
        Shape("semicolons.csv", as_csv(["text", "label"], rows, delimiter=";").encode(), source={"separator": ";"}),
        Shape("mark.csv", as_csv(["text", "label"], rows).encode("utf-8-sig")),
        Shape("latin.csv", as_csv(["text", "label"], umlaut).encode("latin-1"), source={"encoding": "cp1252"}),
        Shape("wide.tsv", as_csv(["text", "label"], rows, delimiter="\t").encode("utf-16"), source={"encoding": "utf-16"}),
        Shape("quotes.csv", as_csv(["text", "label"], broken).encode()),
        Shape(
            "legend.csv",
            as_csv(["text", "label", "label_text"], numbers).encode(),
            columns={"text": "text", "label": "label_text"},
        ),
        Shape("nested.json", json.dumps(squad()).encode(), "qa", _QA, (), {"format": "squad"}),
        Shape("two.conll", _conll(2), "ner", tagged, ("LOC", "PER")),
        Shape("four.txt", _conll(4), "ner", tagged, ("LOC", "PER"), {"format": "conll"}),
        Shape("index.csv", as_csv(["", "text", "label"], [[i, *row] for i, row in enumerate(rows)]).encode()),
        Shape("empty.csv", empty.encode(), source={"drop": {"text": [""], "label": [""]}}),
        Shape(
            "one.csv",
            as_csv(["text", "label"], [[text, "good"] for text, _ in rows]).encode(),
            sentence="column 'label' has one class, 'good', in all 160 rows; a classification needs two",
        ),
        Shape("objects.jsonl", "\n".join(lines).encode(), columns={"text": "review.body", "label": "stars"}, labels=("1", "5")),
        Shape(
            "headless.csv",
            as_csv(*[(rows[0]), rows[1:]]).encode(),
            columns={"text": "column1", "label": "column2"},
            source={"header": ["column1", "column2"]},
        ),
        Shape("words.parquet", _parquet(), "ner", {"words": "tokens", "tags": "ner_tags"}, ("LOC", "PER")),
        Shape("films.csv", as_csv(["text", "label", "film_id"], films).encode(), columns={**_TEXT, "group": "film_id"}),
        Shape(
            "divided.csv",
            as_csv(["text", "label", "split"], divided).encode(),
            columns={**_TEXT, "split": "split"},
            source={"drop": {"split": ["test"]}},
        ),
        Shape(
            "lists.jsonl",
            "\n".join(json.dumps({"text": text, "labels": [label, "film"]}) for text, label in reviews()).encode(),
            sentence="column 'labels' holds lists, and a classification has one label for each text",
            options={"label": "labels"},
        ),
        Shape(
            "numbers.jsonl",
            "\n".join(json.dumps({"tokens": [w for w, _ in s], "tags": [TAGS[t] for _, t in s]}) for s in sentences()).encode(),
            "ner",
            {"words": "tokens", "tags": "tags"},
            sentence="the tags of column 'tags' are numbers (0, 1, 2, 3); say what they mean with --labels 0=O,1=B-PER,2=I-PER",
        ),
    ]


TAGS = {"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3}
_TEXT = {"text": "text", "label": "label"}
_QA = {"context": "context", "question": "question", "answers": "answers", "starts": "answer_starts", "group": "title"}
SHAPES = _shapes()

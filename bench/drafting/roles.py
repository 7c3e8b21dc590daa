"""Which column is for what: what the model reads and what it has to answer, by what columns hold and what they are called."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from bench.drafting.table import SPLIT_NAMES, FileColumn, FileTable
from bench.drafting.wishes import Guess, Wishes
from bench.errors import UserError

TEXT_NAMES = re.compile(
    r"text|texts|sentence|sentences|review|body|content|comment|message|document|tweet|post|abstract|utterance|description|query"
    r"|question|input|source|src|article|dialogue|prompt|tokens|words|title"
)
LABEL_NAMES = re.compile(
    r"labels?|class|category|classification|target|sentiment|stars|rating|score|intent|topic|polarity|emotion|y|gold|tag|is_.+"
    r"|label_?(text|names?)|.+_label"
)
TARGET_NAMES = re.compile(
    r"summary|summaries|highlights?|target|tgt|output|response|answers?|completion|translation|reference|references|reply|headline"
)
GROUP_NAMES = re.compile(
    r"(.+_)?(id|user|author|customer|product|document|doc|film|movie|story|session|patient|group|title)(_id)?"
)
SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": SPLIT_NAMES["validation"],
    "test": (*SPLIT_NAMES["test"], "testing", "eval", "evaluation"),
    "": ("unused",),
}
"""Split -> what a column that divides the rows may call it; rows of no split come last."""
FEW_VALUES = 100
"""A label has at most so many values, unless it is called one."""
MOST_NUMBERS = 20
"""And so many, if they are numbers: more of them are a measure."""


@dataclass(frozen=True)
class Roles:
    """What a task's YAML says of its rows: fields, columns, labels, and the words around them."""

    type: str
    columns: dict[str, str]
    """Field -> column of the file."""
    prompt: str
    metrics: Sequence[str]
    labels: Sequence[str] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    """Of the field that is answered: what the file says -> what the task says."""
    options: Mapping[str, Any] = field(default_factory=dict)
    guesses: Sequence[Guess] = ()

    @property
    def needed(self) -> dict[str, str]:
        """The fields without which a row is no use: a question may have no answer."""
        return {name: column for name, column in self.columns.items() if name not in ("starts", "answers")}


def is_named(column: FileColumn, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(_plain_column_name(column.name)) is not None


def is_index(column: FileColumn) -> bool:
    """Numbers of the rows, as pandas writes them, or a key of each row: nothing to read and nothing to answer."""
    return not column.name.strip() or column.name.startswith("Unnamed:") or (_is_key(column) and column.words <= 1)


def is_split(column: FileColumn) -> bool:
    known = {word for words in SPLIT_WORDS.values() for word in words}
    return len(column.counts) > 1 and {text.lower() for text in column.counts} <= known


def is_label(column: FileColumn) -> bool:
    """Short values, each of several rows; few of them, or a label's name."""
    few = len(column.counts) <= (MOST_NUMBERS if column.numbers else FEW_VALUES) or is_named(column, LABEL_NAMES)
    again = column.repeats >= 2 and column.words <= 5
    return few and again and not column.lists and not is_split(column) and not is_index(column) and not _holds_fractions(column)


def is_text(column: FileColumn) -> bool:
    """Words that mostly differ from row to row."""
    letters = [text for text in column.counts if re.search(r"[^\W\d]", text)]
    return not column.lists and not is_index(column) and len(letters) > 0.5 * len(column.counts) and column.repeats < 20


def texts_of(table: FileTable, given: Wishes, besides: Sequence[str]) -> tuple[list[str], str]:
    """The columns that are read, and why these."""
    if given.text:
        return [table.column(name, "text").name for name in given.text], "as you said"
    fitting = [c for c in table.columns.values() if is_text(c) and c.name not in besides and not is_split(c)]
    if not fitting:
        raise UserError(f"{table.name}: no column holds text; name one with --text. {columns_text(table)}")
    pair = next((both for both in PAIRS if set(both) <= {column.name.lower() for column in fitting}), None)
    if pair:
        return [next(c.name for c in fitting if c.name.lower() == part) for part in pair], "two texts that are read together"
    best = max(fitting, key=lambda column: (is_named(column, TEXT_NAMES), column.words))
    others = [column.name for column in fitting if column is not best and not is_named(column, GROUP_NAMES)]
    more = f"; {', '.join(others)} could be read too: --text {best.name},{others[0]}" if others else ""
    why = "by its name" if is_named(best, TEXT_NAMES) else "the longest text"
    return [best.name], f"{why}, {best.words:.0f} words in the middle{more}"


PAIRS = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("question", "passage"),
)


def columns_text(table: FileTable) -> str:
    """The columns in words, for a sentence on what is missing."""
    parts = [f"{column.name or '(no name)'} ({contents(column)})" for column in table.columns.values()]
    return f"The columns are {', '.join(parts[:12])}{', ...' if len(parts) > 12 else ''}."


TAKEN = ("label", "references", "group", "split")
"""Fields of a task that no text may be called."""


def fields_of(columns: Sequence[str]) -> dict[str, str]:
    """Field -> column: one text is `text`, several keep their names, with a number where another field is called so."""
    if len(columns) == 1:
        return {"text": columns[0]}
    fields: dict[str, str] = {}
    for column in columns:
        name = re.sub(r"\W+", "_", column).strip("_").lower() or "text"
        name = f"text_{name}" if name.isdigit() else name  # {0} in a template is the first of its values
        names = chain([name], (f"{name}_{number}" for number in count(2)))
        fields[next(each for each in names if each not in (*TAKEN, *fields))] = column
    return fields


def heading(column: str, otherwise: str) -> str:
    """A column's name as a word of a prompt: `review_text` is `Review text`."""
    words = re.sub(r"[\W_]+", " ", column.split(".")[-1]).strip()
    # `column3` is no name that a person gave: a file without a header has such.
    return words.capitalize() if re.search(r"[^\W\d]", words) and not words.lower().startswith("column") else otherwise


def prompt_of(texts: list[str], wanted: str) -> str:
    """Each text under its own name, then what is asked."""
    lines = [f"{heading(column, 'Text')}: {{{name}}}" for name, column in fields_of(texts).items()]
    return "\n".join([*lines, f"{wanted}:"])


def _plain_column_name(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _is_key(column: FileColumn) -> bool:
    return (
        len(column.texts) > 1 and len(column.counts) == len(column.texts) and (column.numbers or is_named(column, GROUP_NAMES))
    )


def _holds_fractions(column: FileColumn) -> bool:
    """Numbers with a fraction: a measure, and no class."""
    return column.numbers and any(not float(text.replace(",", ".")).is_integer() for text in column.counts)


def contents(column: FileColumn) -> str:
    if column.lists:
        return "lists"
    if not column.counts:
        return "empty"
    count = len(column.counts)
    return (
        f"always {next(iter(column.counts))!r:.40}"
        if count == 1
        else f"{count:,} values, such as {next(iter(column.counts))!r:.40}"
    )


def in_words(labels: Sequence[str]) -> dict[str, str]:
    """Each label as a decoder says it: in small letters, where all of them still differ then."""
    words = {label: label.replace("_", " ").strip().lower() for label in labels}
    return words if len(set(words.values())) == len(words) else {label: label for label in labels}

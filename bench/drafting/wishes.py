"""What a person says of their data instead of leaving it to be guessed, and a guess with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal, get_args

from bench.data.formats import Form
from bench.errors import UserError, unknown
from bench.specs.source import Format, is_encoding
from bench.specs.suite import LEAST_LENGTH

TaskKind = Literal["classification", "ner", "qa", "generation", "causal-lm"]


@dataclass(frozen=True)
class Guess:
    """One thing that was found out about a file."""

    about: str
    value: str
    why: str
    option: str = ""
    """What changes it, as on the command line; empty where only the written YAML does."""


@dataclass(frozen=True)
class Wishes:
    """What is not guessed; what is None or empty is. Columns are named as in the file."""

    type: str | None = None
    text: Sequence[str] = ()
    """What the model reads."""
    label: str | None = None
    """What it has to answer: classes, tags, answers, references."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the file says -> what it means; or names alone, each meaning itself."""
    group: str | None = None
    """Rows of one value stay together; `none` where rows stand for themselves."""
    split: str | None = None
    """The column that says which rows are the test; `none` where none does."""
    test: str | None = None
    validation: str | None = None
    """Files with rows of their own."""
    sample: int | None = None
    """Rows to read of a big file; 0 for all."""
    max_length: int | None = None
    model: str | None = None
    name: str | None = None
    config: str | None = None
    """Of a hub data set."""
    form: Form = field(default_factory=Form)

    def changed(self, words: str) -> "Wishes":
        """With `key=value` of a person's line taken in: the names are those of the options.

        Raises:
            UserError: there is no such option, or the value does not fit it.
        """
        key, equals, value = (part.strip() for part in words.partition("="))
        key = key.lstrip("-").replace("-", "_")
        if not equals or key not in OPTIONS:
            raise unknown("option", key, OPTIONS) if equals else UserError(f"'{words}': write it as label=COLUMN")
        return self.with_options(**{key: value})

    def with_options(self, **options: str | None) -> "Wishes":
        """With options as they are written on a command line.

        Raises:
            UserError: a value does not fit its option.
        """
        meant = {name: _option_value(name, value) for name, value in options.items() if value is not None}
        form = {FORM[name]: value for name, value in meant.items() if name in FORM}
        own = {name: value for name, value in meant.items() if name not in FORM}
        return replace(self, form=replace(self.form, **form), **own)  # type: ignore[arg-type]


FORM = {"format": "kind", "encoding": "encoding", "separator": "separator", "header": "header"}
"""Options that say how the file is written -> their name in a form."""
CHOICES = {"type": get_args(TaskKind), "format": get_args(Format)}
OPTIONS = [*FORM, *(each.name for each in fields(Wishes) if each.name != "form")]


def _option_value(name: str, value: str) -> object:
    """What an option's value means."""
    option = f"--{name.replace('_', '-')}"
    # Before it is asked whether anything is said: a tab is blank, and a comma alone parts nothing from nothing.
    if name == "separator":
        # A shell hands `\t` on as it is typed.
        return _checked_separator({"tab": "\t", "\\t": "\t"}.get(value, value))
    if not _comma_parts(value):
        raise UserError(f"{option} '{value}' says nothing; give it a value, or leave it out")
    if name in CHOICES and value not in CHOICES[name]:
        raise unknown(name, value, CHOICES[name])
    if name == "encoding" and not is_encoding(value):
        raise UserError(f"{option} '{value}' is not known; common ones are cp1252, latin-1, utf-16")
    if name == "header":
        return _named_once(_comma_parts(value))
    if name == "labels":
        return _meanings(_comma_parts(value))
    if name in ("sample", "max_length"):
        return _whole_number(option, value)
    return _comma_parts(value) if name == "text" else value


def _checked_separator(value: str) -> str:
    if len(value) != 1 or value in '"\r\n':
        raise UserError(f"--separator '{value}' is not one character that can stand between cells; for a tab say tab")
    return value


def _named_once(names: Sequence[str]) -> Sequence[str]:
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"--header names two columns '{twice}'")
    return names


def _meanings(entries: Sequence[str]) -> Mapping[str, str]:
    meanings = {}
    for entry in entries:
        said, equals, meant = (part.strip() for part in entry.partition("="))
        if equals and not (said and meant):
            raise UserError(f"--labels '{entry}' says half; write what the file says and what it means, as 0=bad,1=good")
        meanings[said] = meant or said
    return meanings


def _whole_number(option: str, value: str) -> int:
    if option == "--sample" and value == "all":
        return 0
    if not value.isdecimal():
        raise UserError(f"{option} '{value}' is no whole number")
    if option == "--max-length" and int(value) < LEAST_LENGTH:
        raise UserError(f"{option} {value} is too short for any text; the least is {LEAST_LENGTH}")
    return int(value)


def _comma_parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]

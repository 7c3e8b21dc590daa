"""What a person says of their data instead of leaving it to be guessed, and a guess with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal, get_args

from bench.data.formats import Form
from bench.errors import UserError, unknown

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
        """With options as they are written on a command line."""
        told = {name: value for name, value in options.items() if value is not None}
        if strange := told.get("type", "classification") not in get_args(TaskKind) and told["type"]:
            raise unknown("type", str(strange), get_args(TaskKind))
        form = {FORM[name]: value for name, value in told.items() if name in FORM}
        if "separator" in form:
            form["separator"] = {"tab": "\t", "\\t": "\t"}.get(form["separator"], form["separator"])
        own: dict[str, object] = {name: _read(name, value) for name, value in told.items() if name not in FORM}
        if "header" in form:
            return replace(self, form=replace(self.form, **form | {"header": _listed(form["header"])}), **own)  # type: ignore[arg-type]
        return replace(self, form=replace(self.form, **form), **own)  # type: ignore[arg-type]


FORM = {"format": "kind", "encoding": "encoding", "separator": "separator", "header": "header"}
"""Options that say how the file is written -> their name in a form."""
OPTIONS = [*FORM, *(each.name for each in fields(Wishes) if each.name != "form")]


def _read(name: str, value: str) -> object:
    if name == "text":
        return _listed(value)
    if name == "labels":
        pairs = [entry.partition("=") for entry in _listed(value)]
        return {said.strip(): (meant.strip() if equals else said.strip()) for said, equals, meant in pairs}
    if name in ("sample", "max_length"):
        text = "0" if value == "all" else value
        if not text.isdecimal():
            raise UserError(f"{name.replace('_', '-')} '{value}' is no whole number")
        return int(text)
    return value


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]

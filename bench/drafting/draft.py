"""A task and a suite for a person's data, drafted with the reason for each part."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.data.formats import ENDINGS
from bench.drafting.classification import classification_roles, label_column
from bench.drafting.generation import corpus_roles, generation_roles, target_column
from bench.drafting.ner import ner_roles, tag_column
from bench.drafting.qa import qa_roles, question_columns
from bench.drafting.roles import GROUP_NAMES, SPLIT_WORDS, Roles, columns_text, contents, is_index, is_named, is_split
from bench.drafting.table import FileColumn, FileTable, columns_of
from bench.drafting.wishes import Guess, Wishes
from bench.errors import UserError
from bench.planning.data_view import SPLITS
from bench.specs.task import TaskSpec

HELD_OUT = {"test": 0.2, "validation": 0.1}
SMALL = {"test": 0.3, "validation": 0.2}
"""Of data with fewer rows, or groups, than `ENOUGH`: a tenth of them may be none."""
ENOUGH = 200
GROUP_REPEATS = 1.5
"""Rows that a group has on average, at least: fewer are hardly groups."""
GROUPS = 10
"""And so many of them there are: whole groups are held out."""
KNOWN_ENDINGS = (*ENDINGS, "txt", "gz", "bz2")
"""Of files' names; `my.reviews.csv` is called `my.reviews`."""


@dataclass(frozen=True)
class Draft:
    """What will be written."""

    name: str
    table: FileTable
    roles: Roles
    group: str | None
    split: FileColumn | None
    guesses: Sequence[Guess]

    @cached_property
    def source(self) -> dict[str, Any]:
        """The fields of the training source."""
        columns = dict(self.roles.columns)
        if self.group:
            columns["group"] = self.group
        if self.split:
            columns["split"] = self.split.name
        answered = "tags" if self.roles.type == "ner" else "label"
        return {
            **self.table.origin,
            "columns": columns,
            **({"values": {answered: dict(self.roles.values)}} if self.roles.values else {}),
            **({"drop": self.dropped} if self.dropped else {}),
            **({"sample": self.table.rows} if self.table.rows < self.table.total else {}),
        }

    @cached_property
    def dropped(self) -> dict[str, list[str]]:
        """Values of rows that are no use: blank where something must be read or answered, and other splits'."""
        blank = {
            field: sorted(self.table.columns[column].blank)
            for field, column in self.roles.needed.items()
            if self.table.columns[column].blank
        }
        return blank | ({"split": self._of_other_splits("train")} if self.split else {})

    def task(self) -> dict[str, Any]:
        """The task's YAML as values."""
        values: dict[str, Any] = {
            "name": self.name,
            "version": 1,
            "description": f"{self.roles.type} of {self.table.name}",
            "type": self.roles.type,
            "metrics": list(self.roles.metrics),
            "labels": list(self.roles.labels),
            "options": dict(self.roles.options),
            "train": self.source,
            "cluster": "group" if self.group else None,
            "validation": self._split_source("validation"),
            "test": self._split_source("test"),
            "prompt": self.roles.prompt,
            "answers": dict(self.roles.answers),
        }
        return {name: value for name, value in values.items() if value not in (None, [], {})}

    def spec(self) -> TaskSpec:
        return TaskSpec.model_validate(self.task())

    def _split_source(self, split: str) -> dict[str, Any]:
        if split in self.table.split_origins:  # a file of its own comes before a column, and need not have that column
            same = replace(self, split=None).source
            return self.table.split_origins[split] | {key: same[key] for key in ("columns", "values", "drop") if key in same}
        if self.split and (split in self._splits()):
            return {**self.source, "drop": {**self.dropped, "split": self._of_other_splits(split)}}
        return {"share": _held_out_shares(self.table, self.group)[split], **({"by": "group"} if self.group else {})}

    def _splits(self) -> dict[str, list[str]]:
        """Split -> what the file's column calls it."""
        assert self.split is not None
        said = {split: [said for said in self.split.counts if said.lower() in SPLIT_WORDS[split]] for split in SPLITS}
        return {split: words for split, words in said.items() if words}

    def _of_other_splits(self, split: str) -> list[str]:
        assert self.split is not None
        words = self._splits()[split]
        return sorted(spelling for spelling, said in self.split.spellings.items() if said not in words)


def drafted(table: FileTable, given: Wishes) -> Draft:
    """The task as far as it can be guessed.

    Raises:
        UserError: something is missing that nobody can guess; the sentence says what, and which option names it.
    """
    roles = _roles(table, given)
    table = _without_unanswered(table, given, roles)
    group, why = _group_column(table, given, roles)
    split = _split_column(table, given)
    guesses = [
        *table.guesses,
        *roles.guesses,
        Guess("group", group or "none", why, "--group"),
        *_split_guesses(table, split, group),
    ]
    if given.name and not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", given.name):
        raise UserError(f"--name '{given.name}' must be of a-z, 0-9, '.', '_' and '-', and begin with a letter or a digit")
    draft = Draft(given.name or name_of(table.name), table, roles, group, split, guesses)
    left_out = [
        Guess(
            f"blank {field}",
            f"{sum(table.columns[roles.columns[field]].blank.values()):,} rows left out",
            "nothing to read or to answer",
        )
        for field in draft.dropped
        if field != "split"
    ]
    return replace(draft, guesses=[*guesses, *left_out, Guess("name", draft.name, "of the file's name", "--name")])


def _without_unanswered(table: FileTable, given: Wishes, roles: Roles) -> FileTable:
    """Without files that lie beside it, were not named, and lack a column: competitions hand out tests without answers."""
    guesses, origins = list(table.guesses), dict(table.split_origins)
    for split, origin in table.split_origins.items():
        if getattr(given, split) is not None or "path" not in origin:
            continue
        there = columns_of(origin)
        if lacking := [column for column in roles.needed.values() if column not in there]:
            del origins[split]
            why = f"{Path(origin['path']).name} lies beside it, and has no column '{lacking[0]}'"
            guesses = [Guess(split, "not of a file", why, f"--{split}") if each.about == split else each for each in guesses]
    return replace(table, guesses=guesses, split_origins=origins)


def _roles(table: FileTable, given: Wishes) -> Roles:
    tags, asks = tag_column(table, given), question_columns(table, given)
    if given.type == "ner" or (given.type is None and tags):
        return ner_roles(table, given, tags)
    if given.type == "qa" or (given.type is None and asks):
        return qa_roles(table, given, asks)
    if given.labels and given.type in ("qa", "generation", "causal-lm"):
        raise UserError(f"{table.name}: --labels says what classes or tags mean, and a task of type {given.type} has none")
    if given.type == "causal-lm":
        return corpus_roles(table, given)
    label = None if given.type == "generation" else label_column(table, given)
    target = target_column(table, given)
    # A label that is named, or classes by what they are: few values. Else text that answers text.
    if label and not (given.type is None and given.label and label.repeats < 2):
        return classification_roles(table, given, label)
    if given.type == "classification":
        raise UserError(f"{table.name}: no column looks like a label; name one with --label. {columns_text(table)}")
    return generation_roles(table, given, target) if given.type or target else corpus_roles(table, given)


def _group_column(table: FileTable, given: Wishes, roles: Roles) -> tuple[str | None, str]:
    """The column whose equal values stay on one side of a split."""
    if given.group == "none":
        return None, "as you said"
    left_out = {place for column in roles.needed.values() for place in table.columns[column].gaps}
    if given.group:
        column = table.column(given.group, "group")
        if bare := column.gaps - left_out:
            raise UserError(
                f"{table.name}: --group {column.name}: that column is blank in {len(bare):,} of {table.rows:,} rows, which "
                f"belong to no group then; fill it in, or say --group none"
            )
        return column.name, "as you said"
    used = {*roles.columns.values()}
    # Blank in rows alone that are left out anyway: any other would belong to no group.
    free = [c for c in table.columns.values() if c.name not in used and not c.lists and not is_split(c) and c.gaps <= left_out]
    group_columns = [c for c in free if is_named(c, GROUP_NAMES) and c.repeats >= GROUP_REPEATS and len(c.counts) >= GROUPS]
    if group_columns:
        rows = f"{group_columns[0].repeats:.1f} rows of each {group_columns[0].name}, which stay on one side"
        return group_columns[0].name, rows
    answered = [table.columns[name] for field, name in roles.columns.items() if field == "label"]
    many = [c for c in free if c.repeats >= GROUP_REPEATS and len(c.counts) >= GROUPS and not is_index(c)]
    # A column that says the label in other words is no group: whole classes would be held out.
    likely = [c.name for c in many if not any(c.renames(label) for label in answered)]
    hint = f"; if rows of one {likely[0]} belong together, say --group {likely[0]}" if likely else ""
    return None, f"each row stands for itself{hint}"


def _split_column(table: FileTable, given: Wishes) -> FileColumn | None:
    if given.split == "none":
        return None
    if given.split:
        column = table.column(given.split, "split")
        if not (is_split(column) and _has_train_rows(column)):
            raise UserError(
                f"{table.name}: column '{column.name}' must say train, validation or test; it holds {contents(column)}"
            )
        return column
    split_columns = [column for column in table.columns.values() if is_split(column)]
    return next((c for c in split_columns if _has_train_rows(c)), None)


def _has_train_rows(column: FileColumn) -> bool:
    """Whether rows of training are among them."""
    return any(text.lower().startswith("train") for text in column.counts)


def _split_guesses(table: FileTable, split: FileColumn | None, group: str | None) -> list[Guess]:
    if split:
        return [Guess("splits", f"column {split.name}", f"it holds {', '.join(split.counts)}", "--split")]
    whole = f"whole {group}s" if group else "rows"
    return [
        Guess(name, f"{share:.0%}", f"{whole} by a hash: the same in every run", f"--{name} FILE")
        for name, share in _held_out_shares(table, group).items()
        if name not in table.split_origins
    ]


def _held_out_shares(table: FileTable, group: str | None) -> dict[str, float]:
    """What is held out of the training rows."""
    units = len(table.columns[group].counts) if group else table.rows
    return HELD_OUT if units >= ENOUGH else SMALL


def name_of(place: str) -> str:
    """A task's name from a file's, without its endings."""
    stem = re.sub(rf"(\.({'|'.join(KNOWN_ENDINGS)}))+$", "", Path(place).resolve().name.lower())
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._") or "mine"

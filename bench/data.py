"""A task's examples in three splits, checked: known labels, no empty text, nothing of the test in training.

Splits are the same for every strategy, seed and machine; only the order of training examples depends on the seed.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bench import sources
from bench.errors import UserError
from bench.specs import Holdout, Source, TaskSpec


@dataclass(frozen=True)
class Example:
    """One labelled item: `fields` fill the prompt's braces, `label` is one of the task's labels."""

    id: str
    fields: dict[str, str]
    label: str


@dataclass(frozen=True)
class TaskData:
    """The three splits, and what loading found out."""

    spec: TaskSpec
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    notes: dict[str, int] = field(default_factory=dict)
    """Counts for the record: sizes, and how many training rows were removed because they repeat or are in the test."""

    @property
    def content_hash(self) -> str:
        """SHA-256 over all examples in order: what the record names as the data."""
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            for example in split:
                digest.update(repr((example.id, sorted(example.fields.items()), example.label)).encode())
        return digest.hexdigest()


@lru_cache(maxsize=16)
def _load_cached(dump: str) -> TaskData:
    return _load(TaskSpec.model_validate_json(dump))


def load(spec: TaskSpec) -> TaskData:
    """Read and check a task's data; once a process.

    Raises:
        UserError: a label is unknown, a text empty, a split empty, or a column missing.
    """
    return _load_cached(spec.model_dump_json())


def _load(spec: TaskSpec) -> TaskData:
    train = _read(spec, spec.train_sources, "train")
    notes = {"read": len(train)}
    held: dict[str, list[Example]] = {}
    for name in ("test", "validation"):
        source: Source | Holdout = getattr(spec, name)
        if isinstance(source, Source):
            held[name] = _read(spec, [source], name)
        else:
            train, held[name] = _hold_out(spec, train, source, split=name)
    rows = len(train)
    train = _unique(spec, train)
    notes["repeated_removed"] = rows - len(train)
    for name in ("test", "validation"):
        train, notes[f"in_{name}_removed"] = _without(spec, train, held[name])
    held["validation"], notes["validation_in_test_removed"] = _without(spec, held["validation"], held["test"])
    for name, split in (("train", train), *held.items()):
        if not split:
            raise UserError(f"task '{spec.name}': the {name} split is empty once repeated and test texts are removed")
        notes[name] = len(split)
    return TaskData(spec, train, held["validation"], held["test"], notes)


def _read(spec: TaskSpec, split_sources: Sequence[Source], split: str) -> list[Example]:
    examples = []
    for number, row in enumerate((row for source in split_sources for row in sources.rows(source)), start=1):
        place, label = f"task '{spec.name}', {split}: {row.place}", row.get("label")
        if label not in spec.labels:
            raise UserError(f"{place}: label '{label}' is not one of {', '.join(spec.labels)}")
        fields = {name: str(value).strip() for name, value in row.items() if name != "label"}
        for name, value in fields.items():
            if not value:
                raise UserError(f"{place}: field '{name}' is empty")
        examples.append(Example(f"{split}-{number}", fields, label))
    return examples


def normalised(example: Example, fields: Iterable[str]) -> str:
    """Letters and digits alone, lower case: equal for a text and its tokenised, re-cased or re-spaced copy.

    `fields` are those that a model reads: an id or a group beside them makes no other text.
    """
    texts = [example.fields[name] for name in sorted(fields)]
    return "|".join(re.sub(r"\W+", "", text.lower()) or text for text in texts)


def _without(spec: TaskSpec, examples: Sequence[Example], others: Sequence[Example]) -> tuple[list[Example], int]:
    read = spec.fields_named()
    seen = {normalised(example, read) for example in others}
    kept = [example for example in examples if normalised(example, read) not in seen]
    return kept, len(examples) - len(kept)


def _unique(spec: TaskSpec, examples: Sequence[Example]) -> list[Example]:
    first: dict[str, Example] = {}
    for example in examples:
        first.setdefault(normalised(example, spec.fields_named()), example)
    return list(first.values())


def _hold_out(spec: TaskSpec, examples: Sequence[Example], holdout: Holdout, split: str) -> tuple[list[Example], list[Example]]:
    """Split by a hash of the group, so that a group never stands on both sides and new rows don't move old ones."""
    by = holdout.by
    if by and examples and by not in examples[0].fields:
        given = ", ".join(examples[0].fields)
        raise UserError(f"task '{spec.name}': the {split} split is by '{by}', but the columns give {given}")

    def inside(example: Example) -> bool:
        group = example.fields[by] if by else normalised(example, spec.fields_named())
        value = int.from_bytes(hashlib.sha256(f"{spec.name}/{split}/{group}".encode()).digest()[:8], "big")
        return value < holdout.share * 2**64

    return [e for e in examples if not inside(e)], [e for e in examples if inside(e)]

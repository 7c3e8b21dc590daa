"""A task's examples in three splits, checked: right gold values, no empty text, nothing of the test in training.

Splits are the same for every strategy, seed and machine; only the order of training examples depends on the seed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bench.data import sources
from bench.errors import UserError
from bench.specs.source import Holdout, Source
from bench.specs.task import TaskSpec
from bench.tasks import separation, types
from bench.tasks.examples import Example


@dataclass(frozen=True)
class TaskData:
    """The three splits, and what loading found out."""

    spec: TaskSpec
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    out_of_domain: dict[str, list[Example]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    """Counts for the record: sizes, and how many training rows were removed because they repeat or are in the test."""

    def split(self, name: str) -> list[Example]:
        """`train`, `validation`, `test`, or a set from another domain."""
        found: list[Example] = self.out_of_domain[name] if name in self.out_of_domain else getattr(self, name)
        return found

    @property
    def content_hash(self) -> str:
        """SHA-256 over all examples in order: what the record names as the data."""
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test, *self.out_of_domain.values()):
            for example in split:
                # Fields sorted: the order of a file's columns makes no other data.
                digest.update(repr((example.id, sorted(example.fields.items()), example.gold)).encode())
        return digest.hexdigest()


@lru_cache(maxsize=16)
def _load_cached(dump: str) -> TaskData:
    return _load(TaskSpec.model_validate_json(dump))


def load_splits(spec: TaskSpec) -> TaskData:
    """Read and check a task's data; once a process.

    Raises:
        UserError: a gold value is wrong, a text empty, a split empty, or a column missing.
    """
    return _load_cached(spec.model_dump_json())


def _load(spec: TaskSpec) -> TaskData:
    # Held-out rows are cut from the first source alone: the others are extra, and may be of another domain.
    first, *further = spec.train_sources
    train, notes = _read(spec, [first], "train")
    held_out: dict[str, list[Example]] = {}
    # The test first: its rows stay the same whatever share validation takes afterwards.
    for name in ("test", "validation"):
        source: Source | Holdout = getattr(spec, name)
        if isinstance(source, Source):
            held_out[name], _ = _read(spec, [source], name)
        else:
            train, held_out[name] = _hold_out(spec, train, source, split=name)
    more, more_notes = _read(spec, further, "train", after=notes["read"])
    train, notes = train + more, {name: count + more_notes[name] for name, count in notes.items()}
    away = {name: _read(spec, [source], name)[0] for name, source in spec.out_of_domain.items()}
    rows, kind = len(train), types.task_type(spec)
    train = separation.unique(kind, train)
    notes["repeated_removed"] = rows - len(train)
    tests = {"test": held_out["test"], **away}
    train, held_out["validation"], shared = separation.separated(kind, train, held_out["validation"], tests)
    notes |= shared
    for name, split in (("train", train), *held_out.items(), *away.items()):
        if not split:
            raise UserError(f"task '{spec.name}': the {name} split is empty once repeated and test texts are removed")
        notes[name] = len(split)
    return TaskData(spec, train, held_out["validation"], held_out["test"], away, notes)


def _read(spec: TaskSpec, parts: Sequence[Source], split: str, after: int = 0) -> tuple[list[Example], dict[str, int]]:
    """The split's examples, and how many rows there were and were left out by the type's options.

    Examples are numbered `after` those of the split that have been read before.
    """
    kind = types.task_type(spec)
    examples, rows = [], [row for source in parts for row in sources.rows(source)]
    for number, row in enumerate(rows, start=after + 1):
        try:
            if found := kind.read(row):
                fields, gold = found
                cluster = fields.get(spec.cluster) if spec.cluster else None
                examples.append(Example(f"{split}-{number}", fields, gold, cluster))
        except ValueError as error:
            raise UserError(f"task '{spec.name}', {split}: {row.place}: {error}") from None
    return examples, {"read": len(rows), "left_out": len(rows) - len(examples)}


def _hold_out(spec: TaskSpec, examples: Sequence[Example], holdout: Holdout, split: str) -> tuple[list[Example], list[Example]]:
    """Split by a hash of the group, so that a group never stands on both sides and new rows don't move old ones.

    Without a field for it the group is what is compared: questions on one context stay together.
    """
    by, compared = holdout.by, types.task_type(spec).compared()
    if by and examples and by not in examples[0].fields:
        given = ", ".join(examples[0].fields)
        raise UserError(f"task '{spec.name}': the {split} split is by '{by}', but the columns give {given}")

    def inside(example: Example) -> bool:
        group = example.fields[by] if by else separation.normalised(example, compared)
        # With the split's name in it: on the same hash, validation would be cut from what the test has taken already.
        value = int.from_bytes(hashlib.sha256(f"{spec.name}/{split}/{group}".encode()).digest()[:8], "big")
        return value < holdout.share * 2**64

    return [e for e in examples if not inside(e)], [e for e in examples if inside(e)]

"""A task's examples in three splits, checked: right gold values, no empty text, nothing of the test in training.

Splits are the same for every strategy, seed and machine; only the order of training examples depends on the seed.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bench.data import sources
from bench.errors import UserError
from bench.specs.source import Holdout, Source
from bench.specs.task import TaskSpec
from bench.tasks import separation, types
from bench.tasks.examples import Example
from bench.tasks.separation import ComparedExamples
from bench.tasks.types import TaskType

BALANCED = "balanced"
"""The test with as few examples without an entity as training has: a set beside those from other domains."""


@dataclass(frozen=True)
class TrainingData:
    """What a model is trained and chosen on. What is held out is not in it, so that nobody who is given it can read that."""

    spec: TaskSpec
    train: list[Example]
    validation: list[Example]

    def split(self, name: str) -> list[Example]:
        """`train` or `validation`."""
        return {"train": self.train, "validation": self.validation}[name]


@dataclass(frozen=True)
class TaskData(TrainingData):
    """All splits, and what loading found out."""

    test: list[Example]
    out_of_domain: dict[str, list[Example]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    """Counts for the record: sizes, and how many training rows were removed because they repeat or are in the test."""

    def split(self, name: str) -> list[Example]:
        """`train`, `validation`, `test`, or a set from another domain."""
        return ({"test": self.test} | self.out_of_domain).get(name) or super().split(name)

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


@lru_cache(maxsize=16)
def _training_cached(dump: str) -> TrainingData:
    whole = _load_cached(dump)
    return TrainingData(whole.spec, whole.train, whole.validation)


def load_training(spec: TaskSpec) -> TrainingData:
    """The same without what is held out. Its texts have been looked at once, to take them out of training, and are gone.

    Raises:
        UserError: as `load_splits`.
    """
    return _training_cached(spec.model_dump_json())


def trained_examples(spec: TaskSpec, tested: Sequence[TaskSpec]) -> list[Example]:
    """What is trained on of a task, in a run that ends with the tests of these tasks, its own first. Of its own task it is the
    same for all strategies. Of what comes before it or beside it, nothing may stand in a test that the model is then asked, nor
    in the validation items of its own task, on which it may be chosen.

    Raises:
        UserError: as `load_splits`, or all of it stands in a test.
    """
    if spec.name == tested[0].name:
        return load_training(spec).train
    left = _outside_others(spec, tested)
    if not left:
        names = ", ".join(each.name for each in tested if each.name != spec.name)
        raise UserError(f"task '{spec.name}': all its training examples stand in the test of {names}; leave it out")
    return left


def in_other_tests(tested: Sequence[TaskSpec]) -> int:
    """How many training examples of a run's own task, the first of these, stand in another's test. They are trained on, as in
    runs that ask no other test."""
    return len(load_training(tested[0]).train) - len(_outside_others(tested[0], tested))


def general_texts(source: Source, tested: Sequence[TaskSpec]) -> list[str]:
    """The texts of a column `text` that are rehearsed in a run that ends with these tasks' tests: none stands in one of them.

    Raises:
        UserError: all of them do.
    """
    return _general_cached(source.model_dump_json(), tuple(each.model_dump_json() for each in tested))


def _outside_others(spec: TaskSpec, tested: Sequence[TaskSpec]) -> list[Example]:
    others = tuple(each.model_dump_json() for each in tested if each.name != spec.name)
    return _beside_cached(spec.model_dump_json(), others, beside=spec.name != tested[0].name)


@lru_cache(maxsize=16)
def _beside_cached(dump: str, others: tuple[str, ...], beside: bool) -> list[Example]:
    data, tasks = _training_cached(dump), [*map(_load_cached, others)]
    away = _in_tests(ComparedExamples.of(types.task_type(data.spec), data.train), tasks, tasks[0].validation if beside else [])
    return [example for place, example in enumerate(data.train) if place not in away]


@lru_cache(maxsize=4)
def _general_cached(dump: str, tested: tuple[str, ...]) -> list[str]:
    source, tasks = Source.model_validate_json(dump), [*map(_load_cached, tested)]
    texts = [str(row["text"]) for row in sources.rows(source)]
    away = _in_tests(ComparedExamples([{"text": text} for text in texts]), tasks, tasks[0].validation)
    left = [text for place, text in enumerate(texts) if place not in away]
    if not left:
        names = ", ".join(each.spec.name for each in tasks)
        raise UserError(f"rehearsal: all texts of its source stand in the test of {names}; give other texts")
    return left


def _in_tests(compared: ComparedExamples, tested: Sequence[TaskData], chosen_on: Sequence[Example]) -> set[int]:
    """Places of those that stand in a test of these tasks, in a set of theirs from another domain, or among the first one's
    examples on which is chosen."""
    away = set[int]()
    for number, each in enumerate(tested):
        # All sets of a task together, so that the examples are looked through once.
        sets = (each.test, *each.out_of_domain.values(), chosen_on if number == 0 else [])
        others = ComparedExamples.of(types.task_type(each.spec), (example for split in sets for example in split))
        away |= separation.shared(compared, others).places
    return away


def _load(spec: TaskSpec) -> TaskData:
    # Held-out rows are cut from the first source alone: the others are extra, and may be of another domain.
    first, *further = spec.train_sources
    kind = types.task_type(spec)
    rows, notes = _read_examples(spec, [first], "train")
    # Before anything is held out, so that nothing repeats in what is.
    train = first_ones = separation.unique(kind, rows)
    held_out: dict[str, list[Example]] = {}
    # The test first: its rows stay the same whatever share validation takes afterwards.
    for name in ("test", "validation"):
        source: Source | Holdout = getattr(spec, name)
        if isinstance(source, Source):
            held_out[name] = _read_apart(spec, source, name, notes)
        else:
            train, held_out[name] = _hold_out(spec, train, source, split=name)
    more, more_notes = _read_examples(spec, further, "train", after=notes["read"])
    notes.update(more_notes)
    if further:
        read, more = len(more), _without_held_groups(spec, more, held_out)
        notes["held_groups_removed"] = read - len(more)
    away = {name: _read_apart(spec, source, name, notes) for name, source in spec.out_of_domain.items()}
    together = separation.unique(kind, train + more) if more else train  # nothing repeats in what is left of the first source
    notes["repeated_removed"] = len(rows) - len(first_ones) + len(train + more) - len(together)
    tests = {"test": held_out["test"], **away}
    train, held_out["validation"], shared = separation.separated(kind, together, held_out["validation"], tests)
    notes.update(shared)
    whole = len(train)
    train, away = _thinned_splits(kind, train, held_out["test"], away)
    notes["thinned_out"] = whole - len(train)
    for name, split in (("train", train), *held_out.items(), *away.items()):
        if not split:
            raise UserError(f"task '{spec.name}': the {name} split is empty once repeated and test texts are removed")
        notes[name] = len(split)
    for name, split in (("train", train), ("test", held_out["test"])):
        if common := kind.uniform(split):
            same = f"each of the {len(split)} examples of the {name} split {common}"
            raise UserError(f"task '{spec.name}': {same}, so that one answer is right for all; give data that differs")
    return TaskData(spec, train, held_out["validation"], held_out["test"], away, dict(notes))


def _without_held_groups(spec: TaskSpec, examples: list[Example], held_out: Mapping[str, Sequence[Example]]) -> list[Example]:
    """Those of further sources that are of no group which was held out: shards of one data set share their groups."""
    for name in ("test", "validation"):
        by = getattr(getattr(spec, name), "by", None)
        if by and by != "stretch":  # a third stretch of one file is none of another's
            groups = {example.fields[by] for example in held_out[name]}
            examples = [example for example in examples if example.fields.get(by) not in groups]
    return examples


def _read_examples(spec: TaskSpec, parts: Sequence[Source], split: str, after: int = 0) -> tuple[list[Example], Counter[str]]:
    """The split's examples, and how many rows there were and what was left out by the type's options.

    Examples are numbered `after` those of the split that have been read before.
    """
    kind, rows = types.task_type(spec), [row for source in parts for row in sources.rows(source)]
    examples: list[Example] = []
    notes = Counter(read=len(rows), left_out=0)
    for number, row in enumerate(rows, start=after + 1):
        try:
            pairs = list(kind.parts(row))
            notes.update(kind.remarks(row) if pairs else {"left_out": 1})
        except ValueError as error:
            raise UserError(f"task '{spec.name}', {split}: {row.place}: {error}") from None
        for part, (fields, gold) in enumerate(pairs, start=1):
            name = f"{split}-{number}.{part}" if len(pairs) > 1 else f"{split}-{number}"
            examples.append(Example(name, fields, gold, fields.get(spec.cluster) if spec.cluster else None))
    return examples, notes


def _read_apart(spec: TaskSpec, source: Source, split: str, notes: Counter[str]) -> list[Example]:
    """A set with rows of its own. `notes` learn how many of them are left out, as a test that shrinks must say so."""
    examples, own = _read_examples(spec, [source], split)
    if own["left_out"]:
        notes[f"{split}_left_out"] = own["left_out"]
    return examples


def _thinned_splits(
    kind: TaskType, train: list[Example], test: list[Example], away: dict[str, list[Example]]
) -> tuple[list[Example], dict[str, list[Example]]]:
    """Training as the type's options thin it, and beside the other sets the test thinned in the same way; the test stays."""
    if not kind.balances:
        return train, away
    return kind.balanced(train), {**away, BALANCED: kind.balanced(test)}


def _hold_out(spec: TaskSpec, examples: Sequence[Example], holdout: Holdout, split: str) -> tuple[list[Example], list[Example]]:
    """Split by a hash of the group, so that a group never stands on both sides and new rows don't move old ones.

    Without a field for it the group is what is compared: questions on one context stay together.
    """
    by, kind = holdout.by, types.task_type(spec)
    if by and examples and by not in examples[0].fields:
        given = ", ".join(examples[0].fields)
        raise UserError(f"task '{spec.name}': the {split} split is by '{by}', but the columns give {given}")

    def inside(example: Example) -> bool:
        group = example.fields[by] if by else separation.normalised(kind.compared(example))
        # With the split's name in it: on the same hash, validation would be cut from what the test has taken already.
        value = int.from_bytes(hashlib.sha256(f"{holdout.like or spec.name}/{split}/{group}".encode()).digest()[:8], "big")
        return value < holdout.share * 2**64

    held_out = [inside(example) for example in examples]
    outside = [example for example, away in zip(examples, held_out, strict=True) if not away]
    return outside, [example for example, away in zip(examples, held_out, strict=True) if away]

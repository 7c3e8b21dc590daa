"""Keeps splits apart: nothing of a held-out text is trained on, and no test text chosen on; all that is shared is counted."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from bench.tasks import overlap
from bench.tasks.examples import Example
from bench.tasks.types import TaskType


@dataclass(frozen=True)
class Shared:
    """Places of examples that stand in another split too, each counted once: the first of these that holds."""

    same: set[int]
    """Equal, by letters and digits."""
    part: set[int]
    """One stands whole in the other."""
    near: set[int]
    """They share most of their word pairs."""

    @property
    def places(self) -> set[int]:
        return self.same | self.part | self.near


def normalised(example: Example, fields: Iterable[str]) -> str:
    """Letters and digits alone, lower case: equal for a text and its tokenised, re-cased or re-spaced copy.

    `fields` are those that a model reads: an id or a group beside them makes no other text.
    """
    texts = [example.fields[name] for name in sorted(fields)]
    # A text of signs alone (":)") stays as it is, else all of them would be one text.
    return "|".join(re.sub(r"\W+", "", text.lower()) or text for text in texts)


def unique(kind: TaskType, examples: Sequence[Example]) -> list[Example]:
    """The first of all that read the same."""
    first: dict[str, Example] = {}
    for example in examples:
        first.setdefault(normalised(example, kind.named()), example)
    return list(first.values())


def shared(kind: TaskType, examples: Sequence[Example], others: Sequence[Example]) -> Shared:
    """Which of the examples stand in one of `others`: what is compared is what the type says, for a question its context."""
    fields = kind.compared()
    known = {normalised(example, fields) for example in others}
    same = {place for place, example in enumerate(examples) if normalised(example, fields) in known}
    # Many questions are on one context: each is compared once.
    mine, theirs = _texts(examples, fields), list(_texts(others, fields))
    part, near = (
        {place for index in find(list(mine), theirs) for place in list(mine.values())[index]}
        for find in (overlap.contained, overlap.near)
    )
    return Shared(same, part - same, near - part - same)


def _texts(examples: Sequence[Example], fields: Iterable[str]) -> dict[str, list[int]]:
    """Each text with the places of the examples that have it."""
    places: dict[str, list[int]] = {}
    for place, example in enumerate(examples):
        places.setdefault(" ".join(example.fields[name] for name in sorted(fields)), []).append(place)
    return places


def separated(
    kind: TaskType, train: Sequence[Example], validation: Sequence[Example], tests: Mapping[str, Sequence[Example]]
) -> tuple[list[Example], list[Example], dict[str, int]]:
    """Training and validation examples that share nothing with what they are tested on, training's nor with validation's.

    With counts for the record: what was removed, and what test sets share with each other, which stays.
    """
    notes: dict[str, int] = {}
    kept, chosen = list(train), list(validation)
    for name, split in {"test": tests["test"], "validation": validation, **tests}.items():
        found = shared(kind, kept, split)
        kept = [example for place, example in enumerate(kept) if place not in found.places]
        counts = (("in", found.same), ("within", found.part), ("near", found.near))
        notes |= {f"{how}_{name}_removed": len(places) for how, places in counts}
    for name, split in tests.items():
        found = shared(kind, chosen, split)
        chosen = [example for place, example in enumerate(chosen) if place not in found.places]
        notes[f"validation_in_{name}_removed"] = len(found.places)
    for one, other in combinations(tests, 2):
        notes[f"{one}_in_{other}"] = len(shared(kind, tests[one], tests[other]).places)
    return kept, chosen, notes

"""Keeps splits apart: nothing of a held-out text is trained on, and no test text chosen on; all that is shared is counted."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path

import regex

from bench import folders
from bench.errors import UserError
from bench.hashing import code_digest, digest
from bench.tasks import overlap
from bench.tasks.examples import Example
from bench.tasks.types import TaskType
from bench.tasks.words import letters_of


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


def normalised(texts: Mapping[str, str]) -> str:
    """The letters and digits of an example's texts, given by their fields."""
    # A text of signs alone (":)") stays as it is, else all of them would be one text.
    return "|".join(letters_of(texts[name]) or texts[name] for name in sorted(texts))


KEPT_FROM = 100_000
"""Pairs of texts; fewer are compared as fast as a file is read."""
BETWEEN_DIGITS = regex.compile(r"(?<=\p{N})([^\p{L}\p{M}\p{N}\p{S}]+)(?=\p{N})")
WITHOUT_WORDS = regex.compile(r"[^\p{L}\p{M}\p{N}\p{S}]+")


def read_alike(example: Example, fields: Iterable[str]) -> str:
    """Equal for texts that say the same, but for case, white space and punctuation. Marks of letters and symbols say something
    (`a + 1`, a smile or a frown), and so does what stands between two digits (`3 - 4`, `1 12`)."""
    return "|".join(_without_punctuation(example.fields[name]) for name in sorted(fields))


def _without_punctuation(text: str) -> str:
    parts = BETWEEN_DIGITS.split(unicodedata.normalize("NFKC", text).lower())
    # A pattern with a group gives what stands between digits at each second place.
    bare = (" ".join(part.split()) or " " if place % 2 else WITHOUT_WORDS.sub("", part) for place, part in enumerate(parts))
    return "".join(bare) or text


class ComparedExamples:
    """Examples as they are held against others: of each the texts that are compared, by their fields."""

    def __init__(self, examples: Sequence[Mapping[str, str]]) -> None:
        self._examples = examples
        # Many questions are on one context: each text is compared once.
        places: dict[str, list[int]] = {}
        for place, texts in enumerate(examples):
            places.setdefault(" ".join(texts[name] for name in sorted(texts)), []).append(place)
        self.texts, self._places = overlap.Texts(list(places)), list(places.values())

    @classmethod
    def of(cls, kind: TaskType, examples: Iterable[Example]) -> "ComparedExamples":
        return cls([kind.compared(example) for example in examples])

    @cached_property
    def normalised(self) -> list[str]:
        return [normalised(texts) for texts in self._examples]

    @cached_property
    def content(self) -> str:
        """A hash of what is compared, in order."""
        return digest([[texts[name] for name in sorted(texts)] for texts in self._examples])

    def __len__(self) -> int:
        return len(self._examples)

    def places(self, texts: Iterable[int]) -> set[int]:
        """Of the examples that have these texts."""
        return {place for text in texts for place in self._places[text]}


def unique(kind: TaskType, examples: Sequence[Example]) -> list[Example]:
    """The first of all that read the same."""
    first: dict[str, Example] = {}
    fields = kind.named()
    for example in examples:
        first.setdefault(read_alike(example, fields), example)
    return list(first.values())


def shared(examples: ComparedExamples, others: ComparedExamples) -> Shared:
    """Which of the examples stand in one of `others`. Of large sets it is kept in the cache: each process asks for it anew."""
    if len(examples) * len(others) < KEPT_FROM:
        return _shared_places(examples, others)
    kept = folders.cache() / "overlap" / f"{digest([_rules(), examples.content, others.content])}.json"
    if kept.is_file():
        try:
            return Shared(*(set(map(int, places)) for places in json.loads(kept.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError):
            folders.told_damaged(kept, "texts are compared again")
    common = _shared_places(examples, others)
    with suppress(UserError):  # a cache that can't be written is none
        folders.write_text(kept, json.dumps([sorted(places) for places in (common.same, common.part, common.near)]))
    return common


@cache
def _rules() -> str:
    """A hash of the code that says what is shared: other rules find other texts."""
    here = Path(__file__).parent
    return code_digest(here / name for name in ("separation.py", "overlap.py", "words.py"))


def _shared_places(examples: ComparedExamples, others: ComparedExamples) -> Shared:
    known = set(others.normalised)
    same = {place for place, text in enumerate(examples.normalised) if text in known}
    part, near = (examples.places(find(examples.texts, others.texts)) for find in (overlap.contained, overlap.near))
    return Shared(same, part - same, near - part - same)


def separated(
    kind: TaskType, train: Sequence[Example], validation: Sequence[Example], tests: Mapping[str, Sequence[Example]]
) -> tuple[list[Example], list[Example], dict[str, int]]:
    """Training and validation examples that share nothing with what they are tested on, training's nor with validation's.

    With counts for the record: what was removed, and what test sets share with each other, which stays.
    """
    test_sets = {name: ComparedExamples.of(kind, split) for name, split in tests.items()}
    training_set, validation_set = ComparedExamples.of(kind, train), ComparedExamples.of(kind, validation)
    notes: dict[str, int] = {}
    away: set[int] = set()
    for name, split in {"test": test_sets["test"], "validation": validation_set, **test_sets}.items():
        matches = shared(training_set, split)
        counts = (("in", matches.same), ("within", matches.part), ("near", matches.near))
        notes |= {f"{how}_{name}_removed": len(places - away) for how, places in counts}
        away |= matches.places
    unfit: set[int] = set()
    for name, split in test_sets.items():
        matches = shared(validation_set, split)
        notes[f"validation_in_{name}_removed"] = len(matches.places - unfit)
        unfit |= matches.places
    for one, other in combinations(test_sets, 2):
        notes[f"{one}_in_{other}"] = len(shared(test_sets[one], test_sets[other]).places)
    return _without_places(train, away), _without_places(validation, unfit), notes


def _without_places(examples: Sequence[Example], places: set[int]) -> list[Example]:
    return [example for place, example in enumerate(examples) if place not in places]

"""Named entities: BIO tags (IOB2), one per word. An encoder tags the first piece of each word; a decoder lists the entities.

Rows hold `words` and `tags`, or a `text` of white-space tokens and its `entities` in order as one string, which the option
`entity` takes apart (a pattern with the groups `text` and `type`); `types` then maps the file's types to the task's labels.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field, field_validator
from torch import Tensor
from transformers import AutoModelForTokenClassification

from bench.tasks.examples import Example
from bench.tasks.types.base import TaskOptions, TaskType
from bench.tokens.augmentation import Dropper
from bench.tokens.encoded import IGNORE, Encoded
from bench.tokens.windows import over_words

Entity = tuple[str, int, int]
"""Label, first word, last word (exclusive)."""


class NerOptions(TaskOptions):
    entity: str | None = None
    types: dict[str, str] = {}
    none: str = "none"
    """A decoder's answer where there is no entity."""
    answer_tokens: int = Field(default=96, ge=1)

    @field_validator("entity")
    @classmethod
    def _pattern(cls, value: str | None) -> str | None:
        if value is not None and not {"text", "type"} <= set(re.compile(value).groupindex):
            raise ValueError("the pattern needs the groups text and type")
        return value


class Ner(TaskType):
    Options = NerOptions
    options: NerOptions
    asks = "write"
    values = (list[str], list[str])
    auto_class = AutoModelForTokenClassification
    long = "text"

    @property
    def gold(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset({"text", "entities"} if self.options.entity else {"words", "tags"})

    def columns(self) -> frozenset[str]:
        return self.gold | (self.spec.fields_named() - {"text"})

    def fault(self) -> str | None:
        if not self.spec.labels:
            return "field 'labels': name the types of entities"
        if set(self.spec.answers) != set(self.spec.labels):
            return f"field 'answers' must name the labels {', '.join(self.spec.labels)}"
        return super().fault()

    def tags(self) -> list[str]:
        """Classes of the head."""
        return ["O", *(f"{prefix}-{label}" for label in self.spec.labels for prefix in "BI")]

    def read(self, row: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
        others = self.fields(row)
        if self.options.entity:
            words = str(row["text"]).split()
            tags = self._aligned(words, self._listed(str(row["entities"])))
        else:
            # Space inside a word goes: the words are joined and split again at spaces, and each must keep its tag.
            words, tags = ["".join(word.split()) for word in _sequence(row["words"])], _sequence(row["tags"])
        if not words:
            raise ValueError("field 'words' is empty" if not self.options.entity else "field 'text' is empty")
        if "" in words:
            raise ValueError(f"field 'words': word {words.index('') + 1} of {len(words)} is empty")
        if len(words) != len(tags):
            raise ValueError(f"field 'tags' has {len(tags)} tags for {len(words)} words")
        if strange := set(tags) - set(self.tags()):
            raise ValueError(f"tag '{min(strange)}' is not one of {', '.join(self.tags())}")
        return {**others, "text": " ".join(words)}, tuple(tags)

    def _listed(self, entities: str) -> Iterator[tuple[str, str]]:
        for match in re.finditer(self.options.entity or "", entities):
            kind = self.options.types.get(match["type"], match["type"])
            if kind not in self.spec.labels:
                raise ValueError(
                    f"entity type '{match['type']}' is not one of {', '.join(self.spec.labels)}; map it under types"
                )
            yield kind, match["text"]

    def _aligned(self, words: Sequence[str], entities: Iterator[tuple[str, str]]) -> list[str]:
        """Tags of the words from the entities in the order in which they stand."""
        spans, start = [], 0
        for kind, text in entities:
            place = find_words(words, text.split(), start)
            if place is None:
                raise ValueError(f"entity '{text}' is not in the text after word {start}")
            spans.append((kind, *place))
            start = place[1]
        return tagged(len(words), spans)

    def label(self, example: Example) -> str:
        """Whether there is an entity: most sentences of some data have none."""
        return "entities" if entities(example.gold) else "none"

    def thinned(self, example: Example, kept: Dropper) -> Example:
        """Words outside entities are left out, with their tags."""
        words = example.fields["text"].split()
        stay = set(kept(words))
        # Entities stay whole: without a word of it, another name would be the right answer.
        left = [i for i, tag in enumerate(example.gold) if i in stay or tag != "O"]
        text = " ".join(words[i] for i in left)
        return replace(example, fields={**example.fields, "text": text}, gold=tuple(example.gold[i] for i in left))

    def answer(self, example: Example) -> str:
        words = example.fields["text"].split()
        said = [f"{' '.join(words[a:b])} ({self.spec.answers[kind]})" for kind, a, b in entities(example.gold)]
        return "; ".join(said) or self.options.none

    @property
    def answer_tokens(self) -> int:
        return self.options.answer_tokens

    def parse(self, example: Example, text: str) -> list[str] | None:
        """Tags from `NAME (TYPE); NAME (TYPE)`, each name at its first place after the one before.

        Malformed is what has another form, an unknown type, or a name that is not in the text (any more).
        """
        words, spans, start = example.fields["text"].split(), [], 0
        if text.strip().rstrip(".") == self.options.none:
            return tagged(len(words), [])
        kinds = {answer: label for label, answer in self.spec.answers.items()}
        # After a closing bracket alone: a name may hold a semicolon.
        for part in re.split(r"(?<=\));", text.strip().rstrip(";.")):
            found = re.fullmatch(r"\s*(.+?)\s*\(([^()]+)\)\s*", part)
            place = find_words(words, found[1].split(), start) if found else None
            if not found or place is None or found[2] not in kinds:
                return None
            spans.append((kinds[found[2]], *place))
            start = place[1]
        return tagged(len(words), spans)

    def wrong(self, example: Example) -> list[str]:
        """One entity of no known type, and nothing else."""
        return ["B-malformed", *["O"] * (len(example.gold) - 1)]

    def outputs(self) -> int:
        return len(self.tags())

    def encode(self, tokenizer: Any, limit: int, example: Example, texts: Sequence[str]) -> list[Encoded]:
        classes = {tag: number for number, tag in enumerate(self.tags())}
        windows = over_words(tokenizer, limit, " ".join(texts), example.fields["text"].split())
        return [
            replace(w, labels=tuple(IGNORE if p is None else classes[example.gold[p]] for p in w.places))
            for w in windows
            if any(place is not None for place in w.places)  # without a label there is nothing to learn or to judge
        ]

    def judge(self, example: Example, windows: Sequence[Encoded], logits: Sequence[Tensor]) -> tuple[list[str], float]:
        """The likeliest tag of each word, from the window that shows most of its surroundings."""
        tags, shares = ["O"] * len(example.gold), [1.0] * len(example.gold)
        surroundings = [-1] * len(example.gold)
        for window, scores in zip(windows, logits, strict=True):
            best = scores.softmax(-1).max(-1)
            for position, place in enumerate(window.places):
                # A word at a window's edge lacks half of what tells its tag ("max context" in BERT's run_squad.py).
                around = min(position, len(window.ids) - 1 - position)
                if place is not None and around > surroundings[place]:
                    surroundings[place] = around
                    tags[place], shares[place] = self.tags()[int(best.indices[position])], float(best.values[position])
        return tags, min(shares)  # an item is right as a whole or not: it is as sure as its least sure word

    def untrained(self, example: Example) -> list[str]:
        return ["O"] * len(example.gold)


def find_words(words: Sequence[str], wanted: Sequence[str], start: int) -> tuple[int, int] | None:
    """First and last word (exclusive) of the first occurrence of `wanted` at or after word `start`."""
    last = len(words) - len(wanted)
    return next(
        ((i, i + len(wanted)) for i in range(start, last + 1) if list(words[i : i + len(wanted)]) == list(wanted)), None
    )


def tagged(length: int, spans: Sequence[Entity]) -> list[str]:
    """BIO tags of `length` words."""
    tags = ["O"] * length
    for kind, start, end in spans:
        tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return tags


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities of gold tags, in order; an I- tag that continues nothing begins an entity (as in conlleval)."""
    found: list[Entity] = []
    for place, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if prefix == "I" and found and found[-1][0] == kind and found[-1][2] == place:
            found[-1] = (kind, found[-1][1], place + 1)
        elif prefix in ("B", "I"):
            found.append((kind, place, place + 1))
    return found


def _sequence(value: Any) -> list[str]:
    """A list, or white-space-separated text."""
    return [str(part) for part in value] if isinstance(value, list | tuple) else str(value).split()

"""Named entities: BIO tags (IOB2), one per word. An encoder tags the first piece of each word; a decoder lists the entities.

Rows hold `words` and `tags`, or a `text` of white-space tokens and its `entities` as one string, which the option `entity`
takes apart (a pattern with the groups `text` and `type`); `types` then maps the file's types to the task's labels.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field, field_validator
from torch import Tensor
from transformers import AutoModelForTokenClassification

from bench.metrics.entities import MALFORMED
from bench.specs.expression import Expression
from bench.tasks.examples import Example
from bench.tasks.known_names import Names
from bench.tasks.sampling import sample
from bench.tasks.spans import Entity, entities, find_name, find_words, quoted, sentence_bounds, tagged
from bench.tasks.types.base import Answerer, Facts, TaskOptions, TaskType, same_words
from bench.tokens.augmentation import Dropper
from bench.tokens.encoded import IGNORE, Encoded
from bench.tokens.windows import over_words


class NerOptions(TaskOptions):
    entity: str | None = None
    types: dict[str, str] = {}
    ordered: bool = True
    """Whether `entities` stand in the text's order; else each is at its first place that is still free."""
    sentences: bool = False
    """Each sentence of a text is an example by itself."""
    roles: list[str] = []
    """Mentions that are no names (`Borrower`), in any case: they are no entities."""
    empty: float | None = Field(default=None, ge=0)
    """At most so many training examples without an entity for each with one; the test is also asked as thinned."""
    none: str = "none"
    """A decoder's answer where there is no entity."""
    answer_tokens: int = Field(default=96, ge=1)

    @field_validator("entity")
    @classmethod
    def _pattern(cls, value: str | None) -> str | None:
        try:
            groups = {"text"} if value is None else Expression(value).groups
        except ValueError as error:
            raise ValueError(f"the pattern {error}") from None
        if "text" not in groups:
            raise ValueError("the pattern needs the group text, and the group type where there are several types")
        return value


class Ner(TaskType):
    Options = NerOptions
    version = 2
    """Since 2 a decoder's names are found in any order and without the marks around them, and an instruction's answer ends with
    its line where the model has no chat template."""
    options: NerOptions
    asks = "write"
    values = (list[str], list[str])
    auto_class = AutoModelForTokenClassification
    long = "text"
    made = frozenset({"text"})

    @property
    def gold(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset({"text", "entities"} if self.options.entity else {"words", "tags"})

    def fault(self) -> str | None:
        if not self.spec.labels:
            return "field 'labels': name the types of entities"
        if MALFORMED in self.spec.labels:
            return f"field 'labels': '{MALFORMED}' is what an answer counts as that can't be read; give the type another name"
        if set(self.spec.answers) != set(self.spec.labels):
            return f"field 'answers' must name the labels {', '.join(self.spec.labels)}"
        if len(set(self.spec.answers.values())) != len(self.spec.labels):
            return "field 'answers': two types of entities have the same answer, which could not be read back"
        if self.options.sentences and not self.options.entity:
            return "options: field 'sentences': rows of words are not cut into sentences; leave it out, or give text and entity"
        if self.options.entity and len(self.spec.labels) > 1 and "type" not in Expression(self.options.entity).groups:
            return "options: field 'entity': the pattern needs the group type, as there are several types"
        return None

    def tags(self) -> list[str]:
        """Classes of the head."""
        return ["O", *(f"{prefix}-{label}" for label in self.spec.labels for prefix in "BI")]

    def read(self, row: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
        others, (words, tags) = self.fields(row), self._words_and_tags(row)
        if not words:
            raise ValueError("field 'words' is empty" if not self.options.entity else "field 'text' is empty")
        if "" in words:
            raise ValueError(f"field 'words': word {words.index('') + 1} of {len(words)} is empty")
        if len(words) != len(tags):
            raise ValueError(f"field 'tags' has {len(tags)} tags for {len(words)} words")
        if strange := set(tags) - set(self.tags()):
            raise ValueError(f"tag '{min(strange)}' is not one of {', '.join(self.tags())}")
        names = [span for span in entities(tags) if not self._is_role(words[span[1] : span[2]])]
        # As IOB2, in which each entity begins with B-. A file's own I- tags may begin one too: strict metrics don't count it.
        return {**others, "text": " ".join(words)}, tuple(tagged(len(words), names))

    def parts(self, row: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], tuple[str, ...]]]:
        fields, tags = self.read(row)
        if not self.options.sentences:
            yield fields, tags
            return
        words, spans = fields["text"].split(), entities(tags)
        for start, end in sentence_bounds(str(row["text"]).strip()):
            # What goes over a sentence's end is cut there.
            inside = [(kind, max(a, start) - start, min(b, end) - start) for kind, a, b in spans if a < end and b > start]
            yield {**fields, "text": " ".join(words[start:end])}, tuple(tagged(end - start, inside))

    def remarks(self, row: Mapping[str, Any]) -> dict[str, int]:
        words, tags = self._words_and_tags(row)
        mentions = len(list(self._listed(str(row["entities"])))) if self.options.entity else len(entities(tags))
        roles = sum(self._is_role(words[start:end]) for _, start, end in entities(tags))
        return {"role_mentions_left_out": roles, "nested_mentions_left_out": mentions - len(entities(tags))}

    def _is_role(self, words: Sequence[str]) -> bool:
        return " ".join(words).lower() in {role.lower() for role in self.options.roles}

    def _words_and_tags(self, row: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        if not self.options.entity:
            # Space inside a word goes: the words are joined and split again at spaces, and each must keep its tag.
            return ["".join(word.split()) for word in _sequence(row["words"])], _sequence(row["tags"])
        text = str(row["text"]).strip()
        words, listed = text.split(), self._listed(str(row["entities"]))
        return words, self._aligned(words, listed) if self.options.ordered else tagged(len(words), quoted(text, listed))

    def _listed(self, entities: str) -> Iterator[tuple[str, str]]:
        try:
            listed = Expression(self.options.entity or "").matches(entities)
        except ValueError as error:
            raise ValueError(f"the pattern under entity {error}") from None
        for match in listed:
            said = match.get("type", self.spec.labels[0])
            kind = self.options.types.get(said, said)
            if kind not in self.spec.labels:
                raise ValueError(f"entity type '{said}' is not one of {', '.join(self.spec.labels)}; map it under types")
            if not (match["text"] or "").strip():
                raise ValueError("the pattern under entity finds an entity without text; its group text must match a word")
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

    def uniform(self, examples: Sequence[Example]) -> str | None:
        return None if any(entities(example.gold) for example in examples) else "is without an entity"

    def label(self, example: Example) -> str:
        """Whether there is an entity: most sentences of some data have none."""
        return "entities" if entities(example.gold) else "none"

    @property
    def balances(self) -> bool:
        return self.options.empty is not None

    def balanced(self, examples: Sequence[Example]) -> list[Example]:
        bare = [example for example in examples if not entities(example.gold)]
        room = round((self.options.empty or 0) * (len(examples) - len(bare)))
        stay = {example.id for example in sample(bare, room, [""] * len(bare), [example.cluster for example in bare])}
        return [example for example in examples if entities(example.gold) or example.id in stay]

    def facts(self, train: Sequence[Example]) -> Facts:
        names = Names.of(train)
        return lambda example: {"seen": json.dumps(names.runs(example.fields["text"].split()))}

    def constant(self, train: Sequence[Example]) -> Answerer:
        return self.untrained

    def references(self, train: Sequence[Example]) -> dict[str, Answerer]:
        names = Names.of(train)
        return {"list of training names": lambda example: names.tags(example.fields["text"].split())}

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
        mentions = [f"{' '.join(words[a:b])} ({self.spec.answers[kind]})" for kind, a, b in entities(example.gold)]
        return "; ".join(mentions) or self.options.none

    @property
    def answer_tokens(self) -> int:
        return self.options.answer_tokens

    def parse(self, example: Example, text: str) -> list[str] | None:
        """Tags from `NAME (TYPE); NAME (TYPE)`, each name at its first free place after the one before, else before it.

        Malformed is what has another form, an unknown type, or a name that is not in the text (any more).
        """
        words = example.fields["text"].split()
        spans, taken, after = list[Entity](), [False] * len(words), 0
        if same_words(text, self.options.none):
            return tagged(len(words), [])
        kinds = {answer: label for label, answer in self.spec.answers.items()}
        # Up to a type in brackets: a name may itself hold semicolons and brackets.
        item = re.compile(rf"\s*(\S.*?)\s*\(({'|'.join(map(re.escape, kinds))})\)\s*(?:;|$)")
        left = text.strip().rstrip(";.")
        while left or not spans:  # also of an empty text, which names nothing and so is malformed
            match = item.match(left)
            place = find_name(words, match[1], taken, after) if match else None
            if not match or place is None:
                return None
            spans.append((kinds[match[2]], *place))
            taken[slice(*place)] = [True] * (place[1] - place[0])
            after, left = place[1], left[match.end() :]
        return tagged(len(words), spans)

    def wrong(self, example: Example) -> list[str]:
        """One entity of no known type, and nothing else."""
        return [f"B-{MALFORMED}", *["O"] * (len(example.gold) - 1)]

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


def _sequence(value: Any) -> list[str]:
    """A list, or white-space-separated text."""
    return [str(part) for part in value] if isinstance(value, list | tuple) else str(value).split()

"""Metrics of named entities in BIO tags, exact spans and types, as seqeval counts them.

The plain ones read tags as conlleval does (an I- that follows no entity of its type starts one); `_strict` ones as IOB2, where
an entity starts with B- alone. Without entities to divide by, precision, recall and F1 are 0.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from bench.errors import UserError
from bench.metrics.base import Counted, mean_f1, mean_f1_weights, ratio
from bench.statistics.arrays import Floats

Spans = set[tuple[str, int, int]]
"""Type, first and last token (strict: the one after the last)."""
MALFORMED = "malformed"
"""The type of the one entity that a malformed answer counts as: a wrong entity, of no type that is averaged over."""


class _Entities(Counted):
    prediction = reference = list[str]
    strict: ClassVar[bool] = False

    def spans(self, predictions: Sequence[Any], references: Sequence[Any]) -> list[tuple[Spans, Spans]]:
        """Each item's predicted and gold entities."""
        pairs = []
        for number, (guess, gold) in enumerate(zip(predictions, references, strict=True), start=1):
            if len(guess) != len(gold):
                raise UserError(
                    f"item {number}: {len(guess)} predicted tags for {len(gold)} tokens; there must be one for each"
                )
            pairs.append((self._spans(guess, number), self._spans(gold, number)))
        return pairs

    def _spans(self, tags: Sequence[str], number: int) -> Spans:
        from seqeval.metrics.sequence_labeling import get_entities
        from seqeval.scheme import IOB2, Entities

        # seqeval's default is conlleval's reading, in which an I- tag may begin an entity; IOB2 alone is what it calls strict
        # (chakki-works/seqeval#23).
        if not self.strict:
            return set(get_entities(list(tags)))
        try:
            (entities,) = Entities([list(tags)], IOB2).entities
        except (ValueError, KeyError, IndexError) as error:
            raise UserError(f"item {number}: tags must be O, B-TYPE or I-TYPE, not {' '.join(tags)!r}") from error
        return {(entity.tag, entity.start, entity.end) for entity in entities}


class _Micro(_Entities):
    """Over all types together: (items, 3) with hits, predicted, gold."""

    def counts(self, predictions: Sequence[Any], references: Sequence[Any]) -> Floats:
        spans = self.spans(predictions, references)
        return np.array([(len(guess & gold), len(guess), len(gold)) for guess, gold in spans], dtype=np.float64)


class EntityPrecision(_Micro):
    name = "entity_precision"
    description = "share of predicted entities that are gold entities"

    def number(self, totals: Floats) -> Floats:
        return ratio(totals[..., 0], totals[..., 1])

    def weights(self, counts: Floats) -> Floats:
        return counts[..., 1]


class EntityRecall(_Micro):
    name = "entity_recall"
    description = "share of gold entities that are predicted"

    def number(self, totals: Floats) -> Floats:
        return ratio(totals[..., 0], totals[..., 2])

    def weights(self, counts: Floats) -> Floats:
        return counts[..., 2]


class EntityF1(_Micro):
    name = "entity_f1"
    description = "harmonic mean of entity precision and recall"

    def number(self, totals: Floats) -> Floats:
        return ratio(2 * totals[..., 0], totals[..., 1] + totals[..., 2])

    def weights(self, counts: Floats) -> Floats:
        return counts[..., 1] + counts[..., 2]


class EntityMacroF1(_Entities):
    name = "entity_f1_macro"
    description = "mean of entity F1 over the types that occur, as gold or as prediction; a malformed answer has none"

    def counts(self, predictions: Sequence[Any], references: Sequence[Any]) -> Floats:
        """Per type hits, predicted, gold: (items, 3 x types)."""
        spans = self.spans(predictions, references)
        # Sorted, since a set's order differs between processes: columns are the same wherever they are counted.
        types = sorted({kind for sides in spans for side in sides for kind, *_ in side})
        counts = np.zeros((len(spans), len(types), 3))
        for row, (guess, gold) in zip(counts, spans, strict=True):
            for column, side in enumerate((guess & gold, guess, gold)):
                for kind, count in Counter(kind for kind, *_ in side).items():
                    row[types.index(kind), column] = count
        return counts.reshape(len(spans), -1)

    def _spans(self, tags: Sequence[str], number: int) -> Spans:
        return {span for span in super()._spans(tags, number) if span[0] != MALFORMED}

    def number(self, totals: Floats) -> Floats:
        return mean_f1(totals)

    def weights(self, counts: Floats) -> Floats:
        return mean_f1_weights(counts)


class EntityWordF1(EntityF1):
    name = "entity_word_f1"
    description = "harmonic mean of precision and recall of the words that entities of each type hold"

    def counts(self, predictions: Sequence[Any], references: Sequence[Any]) -> Floats:
        """(items, 3): words that both sides give the same type, words of predicted entities, of gold ones."""
        words = [[_typed_words(side) for side in sides] for sides in self.spans(predictions, references)]
        return np.array([(len(guess & gold), len(guess), len(gold)) for guess, gold in words], dtype=np.float64)


class StrictEntityPrecision(EntityPrecision):
    name = "entity_precision_strict"
    strict = True


class StrictEntityRecall(EntityRecall):
    name = "entity_recall_strict"
    strict = True


class StrictEntityF1(EntityF1):
    name = "entity_f1_strict"
    strict = True


def _typed_words(spans: Spans) -> set[tuple[str, int]]:
    return {(kind, word) for kind, first, last in spans for word in range(first, last + 1)}

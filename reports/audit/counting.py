"""What one item adds to a task's metric, and the number that the sums make: so that items can be left out, one after another.

`others_metrics.py` has the metrics of all items at once, by other people's code; a test holds the two together.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from reports.audit.chrf_and_bleu import bleu, bleu_terms, chrf, chrf_terms
from reports.audit.others_metrics import best_exact, best_overlap, best_rouge, entities_of, typed_words

Terms = Mapping[Hashable, float]
Bounded = Literal["mean of shares", "share", "percent", "number"]
"""What a metric's number is, by which its interval is kept inside: a mean of values in [0, 1], another number in [0, 1] or in
[0, 100], or a number without bounds."""


@dataclass(frozen=True)
class CountedMetric:
    """A metric that is made of sums over items. Values come as the items' table holds them."""

    terms: Callable[[str, str], Terms]
    number: Callable[[Terms], float]
    bounded: Bounded
    weight: Callable[[Terms, Terms], float]
    """Of an item's terms and the sums of all: how much of what the number is divided by the item makes."""


def _counted_mean(value: Callable[[str, str], float]) -> CountedMetric:
    def terms(prediction: str, gold: str) -> Terms:
        return {"sum": value(prediction, gold), "items": 1.0}

    # A single item leaves nothing when it is left out.
    return CountedMetric(
        terms, lambda sums: _quotient_or_zero(sums["sum"], sums["items"]), "mean of shares", _weight_of("items")
    )


def _weight_of(*keys: Hashable) -> Callable[[Terms, Terms], float]:
    """The item's own counts of these."""
    return lambda terms, _: math.fsum(terms.get(key, 0.0) for key in keys)


def _quotient_or_zero(sum_of_values: float, count: float) -> float:
    return sum_of_values / count if count else 0.0


def _hits(said: Counter[Any], right: Counter[Any], group: Callable[[Any], Hashable]) -> Terms:
    """Hits, predictions and golds of each group, from what was said and what is right, as ("hits", group) and so on."""
    terms: Counter[Hashable] = Counter()
    for name, counts in (("hits", said & right), ("said", said), ("right", right)):
        for each, count in counts.items():
            terms[name, group(each)] += count
    return terms


DIVIDED_BY = {"f1": ("said", "right"), "precision": ("said",), "recall": ("right",)}
"""What hits are divided by."""


def _below(sums: Terms, group: Hashable, measure: str = "f1") -> float:
    return math.fsum(sums.get((name, group), 0.0) for name in DIVIDED_BY[measure])


def _f1(sums: Terms, group: Hashable, measure: str = "f1") -> float:
    hits, below = sums.get(("hits", group), 0.0), _below(sums, group, measure)
    return (2 * hits if measure == "f1" else hits) / below if below else 0.0


def _macro(sums: Terms) -> float:
    """The mean F1 of the groups that occur, as prediction or as gold."""
    groups = _groups_of(sums)
    return math.fsum(_f1(sums, group) for group in groups) / len(groups) if groups else 0.0


def _groups_of(sums: Terms) -> set[Hashable]:
    # A hit is a prediction and a gold too, and brings no group of its own.
    return {key[1] for key, count in sums.items() if isinstance(key, tuple) and key[0] != "hits" and count > 0}


def _macro_weight(terms: Terms, sums: Terms) -> float:
    """What the item makes of each group's predictions and golds."""
    return math.fsum(_below(terms, group) / _below(sums, group) for group in _groups_of(terms))


def _strict_entities(tags: list[str]) -> list[tuple[str, int, int]]:
    """Type, first and last word (exclusive), where B- alone begins an entity and I- of its type goes on with it."""
    entities: list[tuple[str, int, int]] = []
    inside = False
    for place, tag in enumerate(tags):
        kind = tag[2:]
        # Strict reading takes an I- that continues nothing for no entity at all.
        if tag.startswith("B-"):
            entities.append((kind, place, place + 1))
            inside = True
        elif inside and tag.startswith("I-") and entities[-1][0] == kind:
            entities[-1] = (kind, entities[-1][1], place + 1)
        else:
            inside = False
    return entities


def _counted_entities(measure: str, strict: bool = False) -> CountedMetric:
    """Micro-averaged: all types are one group."""
    read = _strict_entities if strict else entities_of

    def terms(prediction: str, gold: str) -> Terms:
        return _hits(Counter(read(json.loads(prediction))), Counter(read(json.loads(gold))), lambda _: "all")

    weight = _weight_of(*((name, "all") for name in DIVIDED_BY[measure]))
    return CountedMetric(terms, partial(_f1, group="all", measure=measure), "share", weight)


def _entity_terms_by_type(prediction: str, gold: str) -> Terms:
    # A malformed answer is one entity of the type `malformed`, over which nothing is averaged.
    said = [entity for entity in entities_of(json.loads(prediction)) if entity[0] != "malformed"]
    return _hits(Counter(said), Counter(entities_of(json.loads(gold))), lambda entity: entity[0])


def _entity_word_terms(prediction: str, gold: str) -> Terms:
    return _hits(Counter(typed_words(json.loads(prediction))), Counter(typed_words(json.loads(gold))), lambda _: "all")


def _label_terms(prediction: str, gold: str) -> Terms:
    said = Counter([prediction] if prediction else [])  # a malformed answer is the empty text, and no label
    return _hits(said, Counter([gold]), lambda label: label)


def _likelihood_terms(prediction: str, gold: str) -> Terms:
    nats, tokens, size = json.loads(prediction)
    return {"nats": nats, "tokens": tokens, "bytes": size}


COUNTED: dict[str, CountedMetric] = {
    "accuracy": _counted_mean(lambda prediction, gold: float(prediction == gold)),
    "f1_macro": CountedMetric(_label_terms, _macro, "share", _macro_weight),
    "entity_f1": _counted_entities("f1"),
    "entity_precision": _counted_entities("precision"),
    "entity_recall": _counted_entities("recall"),
    "entity_f1_strict": _counted_entities("f1", strict=True),
    "entity_precision_strict": _counted_entities("precision", strict=True),
    "entity_recall_strict": _counted_entities("recall", strict=True),
    "entity_f1_macro": CountedMetric(_entity_terms_by_type, _macro, "share", _macro_weight),
    "entity_word_f1": CountedMetric(
        _entity_word_terms, partial(_f1, group="all"), "share", _weight_of(("said", "all"), ("right", "all"))
    ),
    "entity_f1_seen": _counted_entities("f1"),
    "entity_f1_unseen": _counted_entities("f1"),
    "squad_em": _counted_mean(lambda prediction, gold: best_exact(prediction, json.loads(gold))),
    "squad_f1": _counted_mean(lambda prediction, gold: best_overlap(prediction, json.loads(gold))),
    "perplexity": CountedMetric(
        _likelihood_terms,
        lambda sums: math.exp(_quotient_or_zero(sums["nats"], sums["tokens"])),
        "number",
        _weight_of("tokens"),
    ),
    "bits_per_byte": CountedMetric(
        _likelihood_terms,
        lambda sums: _quotient_or_zero(sums["nats"] / math.log(2), sums["bytes"]),
        "number",
        _weight_of("bytes"),
    ),
    "chrf": CountedMetric(
        lambda prediction, gold: chrf_terms(prediction, json.loads(gold)),
        chrf,
        "percent",
        _weight_of(("said", 1), ("right", 1)),
    ),
    "bleu": CountedMetric(
        lambda prediction, gold: bleu_terms(prediction, json.loads(gold)),
        bleu,
        "percent",
        _weight_of(("length", "said"), ("length", "right")),
    ),
    "rouge1": _counted_mean(lambda prediction, gold: best_rouge("rouge1", prediction, json.loads(gold))),
    "rougeL": _counted_mean(lambda prediction, gold: best_rouge("rougeL", prediction, json.loads(gold))),
}

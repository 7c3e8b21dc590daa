"""The metrics of tasks once more, by other people's code or by a plain loop: nothing here is of bench/metrics."""

import json
import math
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

Read = Callable[[str], Any]


@dataclass(frozen=True)
class OutsideMetric:
    """A metric's number from predictions and golds, what its values are in the items' table, and which way is better."""

    number: Callable[[list[Any], list[Any]], float]
    prediction: Read = str
    gold: Read = str
    higher_is_better: bool = True
    share: bool = True

    @property
    def sign(self) -> float:
        return 1.0 if self.higher_is_better else -1.0

    def of(self, predictions: Sequence[str], golds: Sequence[str]) -> float:
        """The number of answers as the items' table holds them."""
        return float(self.number([self.prediction(text) for text in predictions], [self.gold(text) for text in golds]))


def _sklearn_accuracy(predictions: list[str], golds: list[str]) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(golds, predictions))


def _sklearn_f1_macro(predictions: list[str], golds: list[str]) -> float:
    from sklearn.metrics import f1_score

    # Without this list scikit-learn would average over the malformed answer as a class.
    labels = sorted({*golds, *predictions} - {""})  # a malformed answer is the empty text
    return float(f1_score(golds, predictions, labels=labels, average="macro", zero_division=0))


def _seqeval_number(measure: str, strict: bool, average: str, predictions: list[list[str]], golds: list[list[str]]) -> float:
    import seqeval.metrics
    from seqeval.scheme import IOB2

    how: dict[str, Any] = {"mode": "strict", "scheme": IOB2} if strict else {}
    return float(getattr(seqeval.metrics, measure)(golds, predictions, average=average, zero_division=0, **how))


def entity_metric(measure: str, strict: bool = False) -> OutsideMetric:
    """seqeval's own number of tags in BIO."""
    return OutsideMetric(partial(_seqeval_number, measure, strict, "micro"), json.loads, json.loads)


def _seqeval_macro(predictions: list[list[str]], golds: list[list[str]]) -> float:
    """seqeval averages over each type that is predicted, and a malformed answer is an entity of the type `malformed`."""
    named = [["O" if tag == "B-malformed" else tag for tag in tags] for tags in predictions]
    return _seqeval_number("f1_score", False, "macro", named, golds)


def entities_of(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Type, first word and last (exclusive) of each entity, as conlleval reads BIO: an I- that continues nothing begins one."""
    entities: list[tuple[str, int, int]] = []
    for place, tag in enumerate(tags):
        if tag == "O":
            continue
        kind, goes_on = tag[2:], tag[0] == "I"
        if goes_on and entities and entities[-1][0] == kind and entities[-1][2] == place:
            entities[-1] = (kind, entities[-1][1], place + 1)
        else:
            entities.append((kind, place, place + 1))
    return entities


def typed_words(tags: Sequence[str]) -> set[tuple[str, int]]:
    """Each word that an entity holds, by its place, with the entity's type."""
    return {(kind, word) for kind, first, last in entities_of(tags) for word in range(first, last)}


def _entity_word_f1(predictions: list[list[str]], golds: list[list[str]]) -> float:
    """F1 of words with the type of the entity that holds them."""
    hits = said = right = 0
    for prediction, gold in zip(predictions, golds, strict=True):
        mine, theirs = typed_words(prediction), typed_words(gold)
        hits, said, right = hits + len(mine & theirs), said + len(mine), right + len(theirs)
    return 2 * hits / (said + right) if said + right else 0.0


def part_of(tags: str, runs: str, wanted: bool) -> str:
    """Tags as JSON with the entities alone that are, or are not, among the runs of words that training has."""
    given, known = json.loads(tags), {tuple(run) for run in json.loads(runs)}
    kept = ["O"] * len(given)
    for _, first, last in entities_of(given):
        if ((first, last) in known) == wanted:
            kept[first:last] = given[first:last]
    return json.dumps(kept)


def squad_words(text: str) -> list[str]:
    """An answer as SQuAD's evaluation script compares it: lower case, no punctuation, no articles, words."""
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    return [word for word in re.sub(r"\b(a|an|the)\b", " ", text).split() if word]


def _worded(accepted: Sequence[str]) -> Sequence[str]:
    """Without what is an article or a sign alone; no answer where nothing else is accepted."""
    return [gold for gold in accepted if squad_words(gold)] or [""]


def _exact(prediction: str, gold: str) -> float:
    return float(squad_words(prediction) == squad_words(gold))


def _overlap(prediction: str, gold: str) -> float:
    said, right = squad_words(prediction), squad_words(gold)
    if not said or not right:
        return float(said == right)
    common = sum((Counter(said) & Counter(right)).values())
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(right)
    return 2 * precision * recall / (precision + recall)


def best_exact(prediction: str, accepted: Sequence[str]) -> float:
    """1 where the prediction is one of the gold answers; a question without one is answered by nothing."""
    # A question that has no answer is answered by saying nothing.
    return max(_exact(prediction, gold) for gold in _worded(accepted))


def best_overlap(prediction: str, accepted: Sequence[str]) -> float:
    """F1 of words with the gold answer that is most like it."""
    return max(_overlap(prediction, gold) for gold in _worded(accepted))


def _mean_of_best(match: Callable[[str, Sequence[str]], float], predictions: list[str], golds: list[list[str]]) -> float:
    return math.fsum(map(match, predictions, golds)) / len(golds)


def _perplexity(predictions: list[list[float]], golds: list[Any]) -> float:
    nats = math.fsum(item[0] for item in predictions)
    return math.exp(nats / sum(item[1] for item in predictions))


def _bits_per_byte(predictions: list[list[float]], golds: list[Any]) -> float:
    nats = math.fsum(item[0] for item in predictions)
    return nats / math.log(2) / sum(item[2] for item in predictions)


def _sacrebleu(name: str, predictions: list[str], golds: list[list[str]]) -> float:
    import sacrebleu

    # sacrebleu takes references stream by stream, and None where an item has fewer.
    most = max(len(accepted) for accepted in golds)
    streams = [[accepted[n] if n < len(accepted) else None for accepted in golds] for n in range(most)]
    return float(getattr(sacrebleu, name)().corpus_score(predictions, streams).score)


def best_rouge(name: str, prediction: str, accepted: Sequence[str]) -> float:
    """rouge-score's F-measure with the reference that is most like the text."""
    return float(max(_scorer(name).score(gold, prediction)[name].fmeasure for gold in accepted))


@cache
def _scorer(name: str) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([name])


def _unread(text: str) -> None:
    """A gold value that the metric does not read."""


METRICS = {
    "accuracy": OutsideMetric(_sklearn_accuracy),
    "f1_macro": OutsideMetric(_sklearn_f1_macro),
    "entity_f1": entity_metric("f1_score"),
    "entity_precision": entity_metric("precision_score"),
    "entity_recall": entity_metric("recall_score"),
    "entity_f1_strict": entity_metric("f1_score", strict=True),
    "entity_precision_strict": entity_metric("precision_score", strict=True),
    "entity_recall_strict": entity_metric("recall_score", strict=True),
    "entity_f1_macro": OutsideMetric(_seqeval_macro, json.loads, json.loads),
    "entity_word_f1": OutsideMetric(_entity_word_f1, json.loads, json.loads),
    "entity_f1_seen": entity_metric("f1_score"),
    "entity_f1_unseen": entity_metric("f1_score"),
    "squad_em": OutsideMetric(partial(_mean_of_best, best_exact), gold=json.loads),
    "squad_f1": OutsideMetric(partial(_mean_of_best, best_overlap), gold=json.loads),
    "perplexity": OutsideMetric(_perplexity, json.loads, _unread, higher_is_better=False, share=False),
    "bits_per_byte": OutsideMetric(_bits_per_byte, json.loads, _unread, higher_is_better=False, share=False),
    "bleu": OutsideMetric(partial(_sacrebleu, "BLEU"), gold=json.loads, share=False),
    "chrf": OutsideMetric(partial(_sacrebleu, "CHRF"), gold=json.loads, share=False),
    "rouge1": OutsideMetric(partial(_mean_of_best, partial(best_rouge, "rouge1")), gold=json.loads),
    "rougeL": OutsideMetric(partial(_mean_of_best, partial(best_rouge, "rougeL")), gold=json.loads),
}

OF_TRAINING = {"entity_f1_seen": True, "entity_f1_unseen": False}
"""Metrics of a part of the entities: whether of those whose words are a mention in training."""
RATE_COLUMNS = {
    "malformed": (False, True),
    "unfinished": (False, True),
    "truncated": (False, True),
    "answerable": (True, True),
    "reference_loss": (False, False),
}
"""Metrics that are the mean of the column of their name: whether higher is better, and whether each value is a share."""

"""Each kind of probe a second time: what its items are worth, from their texts and the model's plain forward pass.

Written from the definitions, apart from the probes' own `measure` and from what batches, pads, caches and cuts for it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from math import e, log, log2
from typing import Any

import numpy as np
import pandas as pd
import torch

from bench.probes.base import Columns, Probe
from bench.probes.closed_book import ClosedBook
from bench.probes.cloze import Cloze
from bench.probes.drift import Drift
from bench.probes.linear_probe import STRENGTH, LinearProbe
from bench.probes.lm_loss import LmLoss
from bench.probes.minimal_pairs import MinimalPairs
from bench.probes.multiple_choice import MultipleChoice
from bench.probes.pseudo_perplexity import PseudoPerplexity
from bench.probes.similarity import Similarity
from bench.selftests.plain_reader import PlainReader, without_middle

PlainNumbers = dict[str, Any]
"""Columns of `measure`, of one item."""


@singledispatch
def plain_items(probe: Probe, reader: PlainReader) -> list[PlainNumbers]:
    """The numbers of all items of the probe, one by one; empty for a kind of which nothing is known here."""
    return []


@singledispatch
def plain_score(probe: Probe, before: Columns, after: Columns) -> tuple[float, float]:
    """The probe's score before and after from its items' columns, from the definition: a weighted mean."""

    def mean(items: Columns) -> float:
        return sum(v * w for v, w in zip(items["value"], items["weight"], strict=True)) / sum(items["weight"])

    return mean(before), mean(after)


def plain_others(probe: Probe, before: Columns, after: Columns) -> list[tuple[float, float]]:
    """What stands beside the score: accuracy, bits per byte, each layer's similarity."""
    if isinstance(probe, Drift):
        return [_layer_similarity(before, after, name) for name in before if name.startswith("layer ")]
    pairs = (
        [tuple(list(items["right"]).count(1) / len(items["right"]) for items in (before, after))] if "right" in before else []
    )
    if isinstance(probe, LmLoss):
        pairs.append(tuple(sum(i["value"] * i["weight"]) / sum(i["bytes"]) * log2(e) for i in (before, after)))
    return [(first, second) for first, second in pairs]


@plain_items.register
def _(probe: LmLoss, reader: PlainReader) -> list[PlainNumbers]:
    return [_passage_numbers(row["text"], probe.encoding.max_length, reader) for row in probe.rows]


def _passage_numbers(text: str, size: int, reader: PlainReader) -> PlainNumbers:
    nats, tokens, spelt = reader.passage(text, size)
    return {"value": nats / tokens, "weight": float(tokens), "bytes": float(spelt)}


def _id_pairs(pairs: Sequence[tuple[str, str]], probe: Probe, reader: PlainReader) -> list[tuple[list[int], list[int]]]:
    """Ids of contexts and of what follows them: a context too long for the longest of these loses its middle."""
    tokenizer, cut = reader.tokenizer, []
    begin = [tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id]
    for context, words in pairs:
        if not context:
            cut.append((begin, list(tokenizer(words, add_special_tokens=False)["input_ids"])))
            continue
        alone, whole = (list(tokenizer(text)["input_ids"]) for text in (context, context + words))
        shared = 0
        while shared < min(len(alone), len(whole) - 1) and alone[shared] == whole[shared]:
            shared += 1
        cut.append((whole[:shared], whole[shared:]))
    room = probe.encoding.max_length - max(len(words) for _, words in cut)
    return [(without_middle(context, room), words) for context, words in cut]


@plain_items.register
def _(probe: Cloze, reader: PlainReader) -> list[PlainNumbers]:
    pairs = [_id_pairs([(row["text"], " " + row["answer"])], probe, reader)[0] for row in probe.rows]
    return [{"value": reader.nats(*pair), "right": float(reader.likeliest(*pair) == pair[1])} for pair in pairs]


@plain_items.register
def _(probe: MultipleChoice, reader: PlainReader) -> list[PlainNumbers]:
    return [_choice_numbers(row, probe, reader) for row in probe.rows]


def _choice_numbers(row: Mapping[str, Any], probe: MultipleChoice, reader: PlainReader) -> PlainNumbers:
    blank, normalised, gold = probe.options.blank, probe.options.normalised, int(row["gold"])
    if blank:
        before, after = row["question"].split(blank, 1)
        pairs = [(before + choice, " " + after.strip()) for choice in row["choices"]]
    else:
        pairs = [(row["question"], " " + choice) for choice in row["choices"]]
    size: Callable[[str], int] = {None: lambda _: 1, "characters": len, "bytes": lambda text: len(text.encode())}[normalised]
    nats = [
        reader.nats(*pair) / size(choice) for pair, choice in zip(_id_pairs(pairs, probe, reader), row["choices"], strict=True)
    ]
    # In long double, since e to the difference of two long texts' nats leaves the range of a double.
    others = sum(np.exp(np.longdouble(score - nats[gold])) for place, score in enumerate(nats) if place != gold)
    # Of equal ones, as of a choice that stands twice, the first is the answer.
    best = all(nats[gold] > score if place < gold else nats[gold] >= score for place, score in enumerate(nats))
    return {"value": -float(np.log(others)), "right": float(best), "gold_nats": nats[gold], "gold": row["gold"]}


@plain_items.register
def _(probe: MinimalPairs, reader: PlainReader) -> list[PlainNumbers]:
    items = []
    for row in probe.rows:
        good, bad = (reader.nats(*pair) for pair in _id_pairs([("", row["good"]), ("", row["bad"])], probe, reader))
        items.append({"value": good - bad, "right": float(good > bad), "good_nats": good})
    return items


@plain_items.register
def _(probe: ClosedBook, reader: PlainReader) -> list[PlainNumbers]:
    return [_closed_book_numbers(row, probe, reader) for row in probe.rows]


def _closed_book_numbers(row: Mapping[str, Any], probe: ClosedBook, reader: PlainReader) -> PlainNumbers:
    answers = list(dict.fromkeys(str(text).strip() for text in row["answers"] if str(text).strip()))
    pairs = _id_pairs([(row["question"], f" {answer}") for answer in answers], probe, reader)
    eos, right = reader.tokenizer.eos_token_id, False
    for context, words in pairs:
        likeliest = reader.likeliest(context, [*words, eos])
        end = reader.tokenizer.decode(likeliest[-1:])
        right = right or (likeliest[:-1] == words and (likeliest[-1] == eos or end[:1] in ("\n", ".", ",")))
    return {"value": reader.nats(*pairs[0]), "right": float(right)}


@plain_items.register
def _(probe: Similarity, reader: PlainReader) -> list[PlainNumbers]:
    items = []
    for row in probe.rows:
        texts = (reader.tokens([row[side]], probe.encoding.max_length) for side in ("first", "second"))
        a, b = (reader.embedding(text).double() for text in texts)
        items.append({"value": float(a @ b / (a.norm() * b.norm())), "gold": row["gold"]})
    return items


@plain_score.register
def _(probe: Similarity, before: Columns, after: Columns) -> tuple[float, float]:
    """The share of pairs of one of each that are in the right order; of graded pairs the correlation of ranks."""

    def ordered(items: Columns) -> float:
        gold, values = pd.Series(items["gold"]).astype(float), pd.Series(items["value"])
        if gold.nunique() < 2:
            return 0.0 if probe.graded else 0.5
        if probe.graded:
            return float(gold.rank().corr(values.rank()))
        apart = np.subtract.outer(values[gold == 1].to_numpy(), values[gold == 0].to_numpy())
        return float(np.mean((apart > 0) + (apart == 0) / 2))

    return ordered(before), ordered(after)


@plain_items.register
def _(probe: LinearProbe, reader: PlainReader) -> list[PlainNumbers]:
    from sklearn.linear_model import LogisticRegression  # as the probe itself does

    limit = probe.encoding.max_length
    known, tested = (
        np.stack([reader.embedding(reader.tokens([row["text"]], limit)).numpy() for row in rows]).astype(np.float64)
        for rows in (probe.train, probe.rows)
    )
    mean, spread = known.mean(0), known.std(0)
    spread[spread == 0] = 1
    classifier = LogisticRegression(C=STRENGTH, max_iter=1000, tol=1e-8)  # by another solver than the probe's
    classifier.fit((known - mean) / spread, [row["gold"] for row in probe.train])
    chances, labels = classifier.predict_proba((tested - mean) / spread), list(classifier.classes_)
    items = []
    for row, shares in zip(probe.rows, chances, strict=True):
        share = shares[labels.index(row["gold"])] if row["gold"] in labels else shares.min()
        right = float(labels[int(shares.argmax())] == row["gold"])
        items.append({"value": log(share / (1 - share)), "right": right, "gold": row["gold"]})
    return items


@plain_items.register
def _(probe: Drift, reader: PlainReader) -> list[PlainNumbers]:
    texts = [reader.tokens([row["text"]], probe.encoding.max_length) for row in probe.rows]
    return [{f"layer {n}": layer.mean(0).tolist() for n, layer in enumerate(reader.states(text))} for text in texts]


@plain_score.register
def _(probe: Drift, before: Columns, after: Columns) -> tuple[float, float]:
    """1, and the mean over layers of |X'Y|^2 / (|X'X| |Y'Y|), X and Y the centred features before and after."""
    return 1.0, float(np.mean([_layer_similarity(before, after, name)[1] for name in before if name.startswith("layer ")]))


def _layer_similarity(before: Columns, after: Columns, layer: str) -> tuple[float, float]:
    x, y = (np.array([list(vector) for vector in items[layer]], dtype=np.float64) for items in (before, after))
    x, y = x - x.mean(0), y - y.mean(0)
    norm = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return 1.0, float(np.linalg.norm(x.T @ y) ** 2 / norm) if norm else 1.0


@plain_items.register
def _(probe: PseudoPerplexity, reader: PlainReader) -> list[PlainNumbers]:
    return [_masked_one_by_one(reader.tokens([row["text"]], probe.encoding.max_length), reader) for row in probe.rows]


def _masked_one_by_one(text: dict[str, list[int]], reader: PlainReader) -> PlainNumbers:
    ids, nats = text["input_ids"], []
    for place in (place for place, token in enumerate(ids) if token not in reader.tokenizer.all_special_ids):
        shown = [reader.tokenizer.mask_token_id if number == place else token for number, token in enumerate(ids)]
        nats.append(-float(reader.masked_logprobs({**text, "input_ids": shown})[place, ids[place]]))
    return {"value": float(torch.tensor(nats).mean()), "weight": len(nats)}

"""A model's predictions on a task's test split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import nn

from bench.batches import by_length, order
from bench.data import Example, TaskData
from bench.devices import Device
from bench.embeddings import embed
from bench.encoding import Encoding, collate
from bench.forward import head_logits
from bench.likelihood import likelihoods
from bench.prompts import Wording, inputs, plain, solved
from bench.tasktypes import TaskType


@dataclass(frozen=True)
class Asked:
    """A question put to a model: which examples, in which words, and how they are answered."""

    encoding: Encoding
    task: TaskType
    data: TaskData
    wording: Wording
    device: Device
    tokens: int
    """Bound of a padded batch."""
    seed: int
    """Chooses the solved examples of few-shot prompts."""
    items: int | None = None
    """The first examples alone."""
    trained_head: bool = False
    """Whether an encoder has a head; without one it answers by similarity."""
    split: Literal["validation", "test"] = "test"


def predict(model: nn.Module, asked: Asked) -> pd.DataFrame:
    """One row per example: `item`, `gold`, `prediction` and `confidence` (the prediction's share of the probability).

    Each process predicts its share of the examples; each example is predicted exactly once.
    """
    examples: list[Example] = getattr(asked.data, asked.split)[: asked.items]
    mine = asked.device.share(len(examples))
    indexed = [(index, examples[index]) for index in mine]
    with asked.device.accelerator.autocast():
        if not mine:
            scores: list[list[float]] = []
        elif asked.encoding.model.family == "decoder":
            scores = _by_likelihood(model, asked, indexed)
        elif asked.trained_head:
            scores = _by_head(model, asked, indexed)
        else:
            scores = _by_similarity(model, asked, [examples[index] for index in mine])
    rows = [
        {
            "index": index,
            "item": example.id,
            "gold": example.label,
            "prediction": asked.task.prediction(row),
            "confidence": float(np.exp(np.max(row) - np.logaddexp.reduce(row))),
        }
        for (index, example), row in zip(indexed, scores, strict=True)
    ]
    return asked.device.gathered(pd.DataFrame(rows))


def pick_shots(data: TaskData, shots: int, seed: int) -> list[Example]:
    """`shots` training examples chosen by the seed, the labels taking turns."""
    if not shots:
        return []
    labels = data.spec.labels
    positions = order(seed, len(data.train))
    found: dict[str, list[Example]] = {label: [] for label in labels}
    for _ in range(len(data.train)):
        example = data.train[next(positions)]
        found[example.label].append(example)
        if all(len(examples) * len(labels) >= shots for examples in found.values()):
            break
    turns = [found[label][turn] for turn in range(shots) for label in labels if turn < len(found[label])]
    return turns[:shots]


def _by_likelihood(model: nn.Module, asked: Asked, examples: Sequence[tuple[int, Example]]) -> list[list[float]]:
    """Log-likelihood of each candidate answer after the prompt."""
    encoding, spec = asked.encoding, asked.task.spec
    answers = [encoding.answer(candidate, asked.wording) for candidate in asked.task.candidates()]
    before = solved(spec, pick_shots(asked.data, asked.wording.shots, asked.seed))
    # Solved examples come on top of the length limit, which is meant for one example.
    room = max(map(len, answers)) - (len(encoding.ids(before)) if before else 0)
    requests = []
    for index, example in examples:
        context = encoding.fitted(encoding.context(spec, example, asked.wording, "test", index, before), room)
        requests += [(context, answer) for answer in answers]
    found = likelihoods(model, requests, encoding.model.tokenizer.pad_token_id, asked.tokens)
    totals = [likelihood.total for likelihood in found]
    return [totals[start : start + len(answers)] for start in range(0, len(totals), len(answers))]


@torch.inference_mode()
def _by_head(model: nn.Module, asked: Asked, examples: Sequence[tuple[int, Example]]) -> list[list[float]]:
    """Logits of the task's head, which is the first of the model's."""
    encoding = asked.encoding
    encoded = [encoding.for_encoder(asked.task, example, asked.wording, "test", index) for index, example in examples]
    device = next(model.parameters()).device
    outputs = int(getattr(model, "config").num_labels)  # noqa: B009 (nn.Module has no such attribute for mypy)
    scores: list[list[float]] = [[]] * len(encoded)
    for batch in by_length([len(item.ids) for item in encoded], asked.tokens):
        padded = collate([encoded[i] for i in batch], encoding.model.tokenizer.pad_token_id, device, outputs)
        for i, row in zip(batch, head_logits(model, padded)[:, : asked.task.outputs()].tolist(), strict=True):
            scores[i] = row
    return scores


def _by_similarity(model: nn.Module, asked: Asked, examples: Sequence[Example]) -> list[list[float]]:
    """Cosine to each label: to the description `prompt + answer`, or to the mean of its solved examples."""
    spec, encoding, tokens = asked.task.spec, asked.encoding, asked.tokens
    texts = embed(model, encoding, [inputs(spec, example) for example in examples], tokens)
    if shots := pick_shots(asked.data, asked.wording.shots, asked.seed):
        known = embed(model, encoding, [inputs(spec, shot) for shot in shots], tokens)
        of_label = [[i for i, shot in enumerate(shots) if shot.label == label] for label in spec.labels]
        labels = torch.stack([known[rows].mean(0) if rows else torch.zeros_like(known[0]) for rows in of_label])
    else:
        empty = Example("", dict.fromkeys(examples[0].fields, ""), "")
        described = [[f"{plain(spec, empty)} {answer}"] for answer in asked.task.candidates()]
        labels = embed(model, encoding, described, tokens)
    cosines: list[list[float]] = nn.functional.cosine_similarity(texts[:, None], labels[None], dim=-1).tolist()
    return cosines

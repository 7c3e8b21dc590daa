"""A model's answers to a task's examples: ranked or written by a decoder, read off an encoder's head or its embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from bench.devices.device import Device
from bench.inference.embeddings import embed
from bench.inference.endpoint import Endpoint
from bench.inference.generation import write
from bench.inference.likelihood import likelihoods, text_losses
from bench.modeling.forward import head_logits
from bench.specs.wording import Wording
from bench.tasks.encoding import Encoding
from bench.tasks.examples import Example
from bench.tasks.prompts import inputs, instruction, plain
from bench.tasks.splits import TaskData
from bench.tasks.types import TaskType
from bench.tokens.batches import order, padded
from bench.tokens.encoded import Encoded


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
    head: int | None = None
    """An encoder's head for the task; without one it answers by similarity."""
    split: str = "test"
    """`validation`, `test`, or one of the task's sets from another domain."""
    paraphrase: int | None = None
    """One wording of the instruction for all examples; without it they take turns."""

    @property
    def examples(self) -> list[Example]:
        return self.data.split(self.split)[: self.items]

    def place(self, index: int) -> int:
        """Which paraphrase the example gets."""
        return index if self.paraphrase is None else self.paraphrase


@dataclass(frozen=True)
class Answer:
    """`prediction` is None where the answer was malformed."""

    prediction: Any
    confidence: float | None
    """None where the model does not tell."""
    written: bool = False
    """Whether it was text, which can be malformed."""
    tokens: tuple[int, int] | None = None
    """Read and written, where an API counted them."""


Indexed = Sequence[tuple[int, Example]]


def predict(model: nn.Module | Endpoint, asked: Asked) -> pd.DataFrame:
    """One row per example: `item`, `gold`, `prediction`, `confidence` (the prediction's probability as the model gives it), and
    `malformed`, which is missing where no answer can be.

    Each process answers its share of the examples; each example is answered exactly once.
    """
    examples = asked.examples
    mine = [(index, examples[index]) for index in asked.device.share(len(examples))]
    with asked.device.accelerator.autocast():
        answers = _way(model, asked)(model, asked, mine) if mine else []
    return asked.device.gathered(frame(asked, mine, answers))


def frame(asked: Asked, examples: Indexed, answers: Sequence[Answer]) -> pd.DataFrame:
    """Answers beside their examples, with the column `index` that tells their order."""
    rows = [
        {
            "index": index,
            "item": example.id,
            "gold": example.gold if isinstance(example.gold, str) else list(example.gold),
            "prediction": asked.task.wrong(example) if answer.prediction is None else answer.prediction,
            "confidence": answer.confidence,
            **({"malformed": answer.prediction is None} if answer.written else {}),
            **({"read": answer.tokens[0], "written": answer.tokens[1]} if answer.tokens else {}),
        }
        for (index, example), answer in zip(examples, answers, strict=True)
    ]
    return pd.DataFrame(rows)


def _way(model: nn.Module | Endpoint, asked: Asked) -> Any:
    if isinstance(model, Endpoint):
        return _prompted
    if asked.encoding.model.family == "encoder":
        return _untrained if asked.head is None else _by_head
    return {"rank": _ranked, "write": _written, "read": _read}[asked.task.asks]


def pick_shots(task: TaskType, data: TaskData, shots: int, seed: int) -> list[Example]:
    """`shots` training examples chosen by the seed; labels take turns where an example has one label."""
    if not shots:
        return []
    positions = order(seed, len(data.train))
    drawn = (data.train[next(positions)] for _ in range(len(data.train)))
    if task.asks != "rank":
        return [example for example, _ in zip(drawn, range(shots), strict=False)]
    labels = data.spec.labels
    found: dict[Any, list[Example]] = {label: [] for label in labels}
    for example in drawn:
        found[example.gold].append(example)
        if all(len(examples) * len(labels) >= shots for examples in found.values()):
            break
    turns = [found[label][turn] for turn in range(shots) for label in labels if turn < len(found[label])]
    return turns[:shots]


def solved(task: TaskType, examples: Sequence[Example]) -> str:
    """Examples with their answers, to stand before a question (Brown et al. 2020)."""
    return "".join(f"{plain(task.spec, example)} {task.answer(example)}\n\n" for example in examples)


def _contexts(asked: Asked, examples: Indexed, answer: int) -> list[tuple[int, ...]]:
    """Prompts that leave room for `answer` tokens."""
    encoding, task = asked.encoding, asked.task
    before = solved(task, pick_shots(task, asked.data, asked.wording.shots, asked.seed))
    room = len(encoding.ids(before)) if before else 0
    prompts = (encoding.context(task, e, asked.wording, "test", asked.place(index), before) for index, e in examples)
    return [encoding.fitted(ids, answer=answer, solved=room) for ids in prompts]


def _ranked(model: nn.Module, asked: Asked, examples: Indexed) -> list[Answer]:
    """The candidate with the highest log-likelihood after the prompt; its share of the candidates' probability."""
    names = asked.task.spec.labels
    answers = [asked.encoding.answer(candidate, asked.wording) for candidate in asked.task.candidates()]
    contexts = _contexts(asked, examples, max(map(len, answers)))
    requests = [(context, answer) for context in contexts for answer in answers]
    found = likelihoods(model, requests, asked.encoding.model.tokenizer.pad_token_id, asked.tokens)
    scores = np.array([likelihood.total for likelihood in found]).reshape(len(examples), len(answers))
    shares = np.exp(scores.max(1) - np.logaddexp.reduce(scores, axis=1))
    return [Answer(names[best], float(share)) for best, share in zip(scores.argmax(1), shares, strict=True)]


def _written(model: nn.Module, asked: Asked, examples: Indexed) -> list[Answer]:
    """What the model writes, taken apart by the task's type."""
    contexts = _contexts(asked, examples, asked.task.answer_tokens)
    one_line = asked.wording.style == "plain"
    tokenizer = asked.encoding.model.tokenizer
    texts = write(model, tokenizer, contexts, asked.task.answer_tokens, asked.tokens, one_line)
    return [Answer(asked.task.parse(e, t.text), t.confidence, True) for (_, e), t in zip(examples, texts, strict=True)]


def _prompted(endpoint: Endpoint, asked: Asked, examples: Indexed) -> list[Answer]:
    """What the model behind an API writes when it is given the instruction."""
    spec = asked.task.spec
    found = endpoint.answers([instruction(spec, e, "test", asked.place(index)) for index, e in examples])
    return [
        Answer(asked.task.parse(e, a.text), None, True, (a.input_tokens, a.output_tokens))
        for (_, e), a in zip(examples, found, strict=True)
    ]


def _read(model: nn.Module, asked: Asked, examples: Indexed) -> list[Answer]:
    """Nats and tokens of each text; the probability of a token, their geometric mean."""
    texts = [asked.encoding.text(example.fields["text"]) for _, example in examples]
    losses = text_losses(model, texts, asked.encoding.model.tokenizer.pad_token_id, asked.tokens)
    return [Answer([loss, float(t.answer)], float(np.exp(-loss / t.answer))) for loss, t in zip(losses, texts, strict=True)]


@torch.inference_mode()
def _by_head(model: nn.Module, asked: Asked, examples: Indexed) -> list[Answer]:
    """What the task's type reads off the logits of its head, over all windows of each example."""
    encoding, task = asked.encoding, asked.task
    windows = [encoding.windows(task, e, asked.wording, "test", asked.place(i), asked.head or 0) for i, e in examples]
    flat = [window for part in windows for window in part]
    logits = iter(_logits(model, flat, encoding.model.tokenizer.pad_token_id, asked.tokens))
    return [
        Answer(*task.judge(example, part, [next(logits) for _ in part]))
        for (_, example), part in zip(examples, windows, strict=True)
    ]


def _logits(model: nn.Module, windows: Sequence[Encoded], pad: int, tokens: int) -> list[Tensor]:
    """Per window (predictions, classes) on the CPU; padding's predictions are still there, at the end."""
    device = next(model.parameters()).device
    found: list[Tensor] = [torch.empty(0)] * len(windows)
    for indices, batch in padded(windows, pad, tokens, device):
        for i, row in zip(indices, head_logits(model, batch), strict=True):
            found[i] = row.cpu()
    return found


def _untrained(model: nn.Module, asked: Asked, examples: Indexed) -> list[Answer]:
    """An encoder without a head tags nothing and marks nothing; classes are known by similarity."""
    answers = [asked.task.untrained(example) for _, example in examples]
    if answers[0] is None:
        return _by_similarity(model, asked, [example for _, example in examples])
    return [Answer(answer, 1.0) for answer in answers]


def _by_similarity(model: nn.Module, asked: Asked, examples: Sequence[Example]) -> list[Answer]:
    """Cosine to each label: to the description `prompt + answer`, or to the mean of its solved examples."""
    spec, encoding, tokens = asked.task.spec, asked.encoding, asked.tokens
    texts = embed(model, encoding, [inputs(spec, example) for example in examples], tokens)
    if shots := pick_shots(asked.task, asked.data, asked.wording.shots, asked.seed):
        known = embed(model, encoding, [inputs(spec, shot) for shot in shots], tokens)
        of_label = [[i for i, shot in enumerate(shots) if shot.gold == label] for label in spec.labels]
        labels = torch.stack([known[rows].mean(0) if rows else torch.zeros_like(known[0]) for rows in of_label])
    else:
        empty = Example("", dict.fromkeys(examples[0].fields, ""), "")
        described = [[f"{plain(spec, empty)} {answer}"] for answer in asked.task.candidates()]
        labels = embed(model, encoding, described, tokens)
    cosines = nn.functional.cosine_similarity(texts[:, None], labels[None], dim=-1)
    return [Answer(spec.labels[int(row.argmax())], float(row.softmax(-1).max())) for row in cosines]

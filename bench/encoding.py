"""Texts as token ids: one `Encoded` per example, and batches of them padded to their longest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bench import prompts
from bench.data import Example
from bench.errors import UserError
from bench.models import Model
from bench.prompts import Wording
from bench.specs import TaskSpec
from bench.tasktypes import TaskType

IGNORE = -100


@dataclass(frozen=True)
class Encoded:
    """Token ids of one example. A decoder's loss is on the last `answer` tokens; an encoder's on `label`, counted from the
    first output of its task's head, which spans the outputs `head[0]` to `head[1]`."""

    ids: tuple[int, ...]
    answer: int = 0
    label: int = 0
    head: tuple[int, int] = (0, 0)
    weight: float = 1.0
    """Of each target in the loss."""

    @property
    def targets(self) -> int:
        """How many predictions carry loss."""
        return self.answer or 1

    @property
    def mass(self) -> float:
        """What the example counts in the mean over targets."""
        return self.weight * self.targets


@dataclass(frozen=True)
class Batch:
    """Tensors of shape (batch, length); `labels` (batch, answer) for decoders, (batch,) for encoders."""

    input_ids: Tensor
    attention_mask: Tensor
    position_ids: Tensor
    labels: Tensor
    allowed: Tensor | None = None
    """(batch, outputs): which outputs belong to the example's own head."""
    weights: Tensor | None = None
    """(batch,): of each example's targets in the loss; None for all 1."""


class Encoding:
    """Turns a task's examples into ids for one model."""

    def __init__(self, model: Model, max_length: int) -> None:
        self.model = model
        self.positions: int | None = getattr(model.config, "max_position_embeddings", None)
        self.max_length = min(max_length, self.positions or max_length)

    def ids(self, text: str, special: bool = True) -> list[int]:
        return list(self.model.tokenizer(text, add_special_tokens=special)["input_ids"])

    def fitted(self, ids: Sequence[int], room: int = 0) -> tuple[int, ...]:
        """At most `max_length - room` ids; what is too long loses its middle, since prompts put meaning at both ends."""
        limit = self.max_length - room
        if self.positions:
            limit = min(limit, self.positions - max(room, 0))
        if limit < 2:
            raise UserError(f"max_length {self.max_length} leaves no room for a context; raise it in the suite")
        if len(ids) <= limit:
            return tuple(ids)
        return tuple(ids[: limit - limit // 2]) + tuple(ids[len(ids) - limit // 2 :])

    def context(
        self, spec: TaskSpec, example: Example, wording: Wording, split: Literal["train", "test"], index: int, before: str = ""
    ) -> list[int]:
        """Ids of everything that stands before a decoder's answer."""
        if wording.style == "plain":
            return self.ids(before + prompts.plain(spec, example))
        tokenizer = self.model.tokenizer
        text = prompts.chat(tokenizer, prompts.instruction(spec, example, split, index))
        return self.ids(text, special=not tokenizer.chat_template)

    def answer(self, text: str, wording: Wording) -> list[int]:
        """Ids of an answer: after a chat turn it starts the line, else a space stands before it."""
        chat = wording.style == "instruction" and bool(self.model.tokenizer.chat_template)
        return self.ids(text if chat else f" {text}", special=False)

    def for_decoder(self, task: TaskType, example: Example, wording: Wording, index: int) -> Encoded:
        """A training example: context and answer, loss on the answer alone."""
        answer = self.answer(task.answer(example), wording)
        context = self.context(task.spec, example, wording, "train", index)
        return Encoded(self.fitted(context, room=len(answer)) + tuple(answer), answer=len(answer))

    def for_encoder(
        self, task: TaskType, example: Example, wording: Wording, split: Literal["train", "test"], index: int, head: int = 0
    ) -> Encoded:
        """An example with its head's target; `head` is the first output of the task's head."""
        texts = prompts.inputs(task.spec, example)
        if wording.style == "instruction":
            texts = [prompts.instruction(task.spec, example, split, index)]
        ids = self.model.tokenizer(*texts, truncation=True, max_length=self.max_length)["input_ids"]
        return Encoded(tuple(ids), label=task.target(example), head=(head, head + task.outputs()))

    def text(self, text: str) -> Encoded:
        """General text for a decoder: loss on every token but the first, together as much as one answer of one token."""
        ids = self.ids(text)[: self.max_length]
        if len(ids) < 2:
            raise UserError(f"the text '{text}' has fewer than two tokens: there is nothing to predict; drop it in the source")
        return Encoded(tuple(ids), answer=len(ids) - 1, weight=1 / (len(ids) - 1))


def collate(batch: Sequence[Encoded], pad: int, device: torch.device, outputs: int = 0) -> Batch:
    """Pad a decoder's examples on the left, so that answers end together and logits are computed for the last positions
    alone; an encoder's on the right, since its position embeddings count from the first column.

    A decoder is fed all tokens but the last, and `labels` hold the token after each of the last positions. With `outputs`
    (an encoder's width) `labels` are output numbers.
    """
    inputs = [encoded.ids if outputs else encoded.ids[:-1] for encoded in batch]
    longest = max(map(len, inputs))

    def padded(row: Sequence[int], filler: int) -> list[int]:
        padding = [filler] * (longest - len(row))
        return [*row, *padding] if outputs else [*padding, *row]

    mask = torch.tensor([padded([1] * len(ids), 0) for ids in inputs])
    ids = torch.tensor([padded(ids, pad) for ids in inputs])
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    allowed = None
    if outputs:
        labels = torch.tensor([encoded.head[0] + encoded.label for encoded in batch])
        columns = torch.arange(outputs)
        starts, ends = (torch.tensor([encoded.head[i] for encoded in batch])[:, None] for i in (0, 1))
        allowed = ((columns >= starts) & (columns < ends)).to(device)
    else:
        width = max(encoded.answer for encoded in batch)
        labels = torch.tensor([[IGNORE] * (width - e.answer) + list(e.ids[len(e.ids) - e.answer :]) for e in batch])
    weights = None
    if any(encoded.weight != 1 for encoded in batch):
        weights = torch.tensor([encoded.weight for encoded in batch]).to(device)
    return Batch(ids.to(device), mask.to(device), positions.to(device), labels.to(device), allowed, weights)

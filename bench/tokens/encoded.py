"""Examples as token ids, and batches of them padded to their longest. Nothing here knows a task or a tokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

IGNORE = -100
"""The label without a loss: the default of torch's cross-entropy, and so of transformers."""


@dataclass(frozen=True)
class Encoded:
    """Token ids of one example, or of one window of it.

    A decoder's loss is on the last `answer` tokens, but for the `silent` ones. An encoder's is on `labels`: one class per
    prediction of the head, be it one for the text, one per token, or the two ends of a span (whose classes are the tokens).
    """

    ids: tuple[int, ...]
    answer: int = 0
    silent: tuple[int, ...] = ()
    """Places among the last `answer` tokens that carry no loss: of a dialogue, what others say between."""
    labels: tuple[int, ...] = ()
    head: int = 0
    """Which of the model's task heads."""
    types: tuple[int, ...] = ()
    """Token types (segment ids), for models that have them."""
    places: tuple[Any, ...] = ()
    """What each token stands for in the example, None for special tokens; as the task's type wants it."""
    weight: float = 1.0
    """Of each target in the loss."""
    lengths: tuple[int, ...] = ()
    """Of the sequences that `ids` are, one after another, where a head scores each and the label is one of them: choices."""
    truncated: bool = False
    """Whether an encoder's text was longer, and lost its end."""

    @property
    def size(self) -> int:
        """Tokens in a batch of it alone: its sequences are padded to the longest."""
        return len(self.lengths) * max(self.lengths) if self.lengths else len(self.ids)

    def sequences(self) -> list["Encoded"]:
        """Each by itself, without a label."""
        starts = list(accumulate(self.lengths, initial=0))
        return [Encoded(self.ids[a:b], labels=(IGNORE,), types=self.types[a:b]) for a, b in pairwise(starts)]

    @property
    def continuation(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Ids up to a decoder's loss, and the last `answer` ones."""
        start = len(self.ids) - self.answer  # not -answer, which without an answer would be all of them
        return self.ids[:start], self.ids[start:]

    @property
    def before_targets(self) -> int:
        """How many of a decoder's first tokens are read and nothing is predicted after them."""
        return self.fed - max(1, self.answer)

    @property
    def spoken(self) -> list[int]:
        """Places among the last `answer` tokens that carry loss."""
        silent = set(self.silent)  # a long dialogue has thousands
        return [place for place in range(self.answer) if place not in silent]

    @property
    def decodes(self) -> bool:
        """Whether it is meant for a language-modelling head."""
        return not self.labels

    @property
    def fed(self) -> int:
        """Tokens that the model reads: a decoder's last one is only predicted."""
        return len(self.ids) - self.decodes

    @property
    def targets(self) -> int:
        """How many predictions carry loss."""
        return self.answer - len(self.silent) if self.answer else sum(label != IGNORE for label in self.labels)

    @property
    def mass(self) -> float:
        """What the example counts in the mean over targets."""
        return self.weight * self.targets


@dataclass(frozen=True)
class Batch:
    """Tensors of shape (batch, length); `labels` (batch, answer) for decoders, (batch, predictions) for encoders.

    Where a head scores choices, all but `labels` are of shape (batch, choices, length).
    """

    input_ids: Tensor
    attention_mask: Tensor
    position_ids: Tensor
    labels: Tensor
    head: int | None = None
    """None for a decoder."""
    types: Tensor | None = None
    weights: Tensor | None = None
    """(batch,): of each example's targets in the loss; None for all 1."""
    targets: Tensor | None = None
    """Where in a decoder's labels, row after row, there is something to predict; None: everywhere."""
    choices: Tensor | None = None
    """(batch, choices): whether an example has so many; None where each example is one sequence."""
    beginning: Tensor | None = None
    """(1, tokens) ids that all of a decoder's rows begin with, where these are read once: attention mask and position ids count
    them, and the input ids are what follows. Nothing is predicted after any of them."""


def collate(batch: Sequence[Encoded], pad: int, device: torch.device, shared: int = 0) -> Batch:
    """Pad a decoder's examples on the left, so that answers end together and logits are computed for the last positions
    alone; an encoder's on the right, since its position embeddings count from the first column. All go to one head.

    A decoder is fed all tokens but the last, and its `labels` hold the token after each of the last positions. The `shared`
    tokens that all its rows begin with are to be read once.
    """
    if batch[0].lengths:
        return _of_choices(batch, pad, device)
    if batch[0].decodes:
        return _of_continuations(batch, pad, device, shared)
    inputs = [encoded.ids for encoded in batch]
    longest = max(map(len, inputs))

    def padded(row: Sequence[int], filler: int) -> list[int]:
        return [*row, *[filler] * (longest - len(row))]

    mask = torch.tensor([padded([1] * len(ids), 0) for ids in inputs])
    ids = torch.tensor([padded(ids, pad) for ids in inputs])
    types = torch.tensor([padded(e.types, 0) for e in batch]).to(device) if batch[0].types else None
    return Batch(
        ids.to(device),
        mask.to(device),
        (mask.cumsum(1) - 1).to(device),
        _label_tensor(batch).to(device),
        batch[0].head,
        types,
        _weight_tensor(batch, device),
    )


def _of_continuations(batch: Sequence[Encoded], pad: int, device: torch.device, shared: int) -> Batch:
    before = torch.ones(len(batch), shared, dtype=torch.long, device=device)
    following = left_padded([encoded.ids[shared : encoded.fed] for encoded in batch], pad, before if shared else None, device)
    return replace(
        following,
        labels=_label_tensor(batch).to(device),
        weights=_weight_tensor(batch, device),
        targets=_target_places(batch, device),
        beginning=torch.tensor([batch[0].ids[:shared]], device=device) if shared else None,
    )


def _of_choices(batch: Sequence[Encoded], pad: int, device: torch.device) -> Batch:
    """An example with fewer choices than another repeats its first, so that no row is padding alone, which gives NaN."""
    parts, most = [encoded.sequences() for encoded in batch], max(len(encoded.lengths) for encoded in batch)
    flat = collate([(part + part[:1] * most)[number] for part in parts for number in range(most)], pad, device)
    shape = (len(batch), most, -1)
    return replace(
        flat,
        input_ids=flat.input_ids.view(shape),
        attention_mask=flat.attention_mask.view(shape),
        position_ids=flat.position_ids.view(shape),
        labels=_label_tensor(batch).to(device),
        head=batch[0].head,
        types=None if flat.types is None else flat.types.view(shape),
        weights=_weight_tensor(batch, device),
        choices=torch.tensor([[number < len(part) for number in range(most)] for part in parts]).to(device),
    )


def _target_places(batch: Sequence[Encoded], device: torch.device) -> Tensor | None:
    # Of the lengths, since counting labels on a device would have to wait for it.
    width = max(encoded.answer for encoded in batch)
    if all(encoded.targets == width for encoded in batch):
        return None
    return torch.tensor([row * width + width - e.answer + i for row, e in enumerate(batch) for i in e.spoken]).to(device)


def _weight_tensor(batch: Sequence[Encoded], device: torch.device) -> Tensor | None:
    weights = [encoded.weight for encoded in batch]
    return None if set(weights) == {1} else torch.tensor(weights).to(device)


def _label_tensor(batch: Sequence[Encoded]) -> Tensor:
    """A decoder's answers end together; an encoder's labels begin together, like its tokens."""
    if batch[0].decodes:
        width = max(encoded.answer for encoded in batch)
        return torch.tensor([[IGNORE] * (width - e.answer) + _decoder_labels(e) for e in batch])
    width = max(len(encoded.labels) for encoded in batch)
    return torch.tensor([[*e.labels, *[IGNORE] * (width - len(e.labels))] for e in batch])


def _decoder_labels(encoded: Encoded) -> list[int]:
    labels = list(encoded.continuation[1])
    for place in encoded.silent:
        labels[place] = IGNORE
    return labels


def left_padded(rows: Sequence[Sequence[int]], pad: int, before: Tensor | None, device: torch.device) -> Batch:
    """Contexts that end together, without labels. `before` is the mask (rows, length) of what was read before them, if anything
    was: the attention mask begins with it, and positions go on from it."""
    longest = max(map(len, rows))
    padding = [longest - len(row) for row in rows]
    ids = torch.tensor([[pad] * p + list(row) for p, row in zip(padding, rows, strict=True)]).to(device)
    mask = torch.tensor([[0] * p + [1] * (longest - p) for p in padding]).to(device)
    whole = mask if before is None else torch.cat([before, mask], 1)
    # Positions count from the first real token (huggingface/transformers#22382); padding gets 0, as no embedding has -1.
    positions = (whole.cumsum(1) - 1).clamp(min=0)[:, -longest:]
    return Batch(ids, whole, positions, labels=torch.empty(0))

"""What a decoder has read, kept as keys and values, so that several rows can go on from it without reading it again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from bench.modeling.forward import last_logits
from bench.tokens.batches import by_length
from bench.tokens.encoded import Batch, left_padded
from bench.tokens.shared_prefixes import Branch

PREFIX_BOUND_RATIO = 4
"""How many times a batch's bound the beginnings may come to that are put before its rows."""

State = tuple[Tensor, Tensor]
"""Keys and values of one layer, each (rows, heads, length, size)."""


@dataclass(frozen=True)
class Reading:
    """Beginnings that were read, a row each, in which padding may stand anywhere.

    Nothing changes it: who goes on from it appends to copies.
    """

    ids: Tensor
    """(rows, length), from the first token on."""
    mask: Tensor
    """(rows, length): 1 where a token is real."""
    logits: Tensor
    """(rows, 1, vocabulary) after the last token."""
    own: list[State]
    """Of each layer, for the last tokens, those that were not in `before`."""
    before: "Reading | None"
    owners: Tensor
    """(rows,): whose row of `before` each row goes on from."""

    def state(self, layer: int, rows: Tensor) -> State:
        """The layer's keys and values of all tokens, for rows in any order and as often as wanted."""
        # A single row is not copied here: whatever is put behind it makes the copy.
        keys, values = (part.expand(len(rows), -1, -1, -1) if len(part) == 1 else part[rows] for part in self.own[layer])
        if self.before is None:
            return keys, values
        first = self.before.state(layer, self.owners[rows])
        return torch.cat([first[0], keys], -2), torch.cat([first[1], values], -2)

    def cache(self, rows: Tensor) -> DynamicCache:
        """The state of all layers, for a model to append to."""
        cache = DynamicCache()
        for layer in range(len(self.own)):
            cache.update(*self.state(layer, rows), layer)
        return cache


class _ContinuedLayer(DynamicLayer):
    """Puts a reading's keys and values before a layer's own, and keeps the own alone: the copies live for one layer's work."""

    def __init__(self, reading: Reading, layer: int, rows: Tensor) -> None:
        super().__init__()
        self._of = reading, layer, rows

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **named: Any) -> State:
        own = super().update(key_states, value_states)
        reading, layer, rows = self._of
        return tuple(torch.cat(both, -2) for both in zip(reading.state(layer, rows), own, strict=True))  # type: ignore[return-value]

    def get_seq_length(self) -> int:
        return self._of[0].mask.shape[1] + super().get_seq_length()


def resumed(reading: Reading | None, rows: Tensor) -> Cache:
    """What a model is given to go on from `rows` of a reading, or from nothing."""
    if reading is None:
        return DynamicCache()
    return Cache(layers=[_ContinuedLayer(reading, layer, rows) for layer in range(len(reading.own))])


def following_batch(
    reading: Reading | None, rows: Sequence[tuple[int, Sequence[int]]], pad: int, device: torch.device
) -> tuple[Batch, Tensor]:
    """A batch of ids that follow a reading's rows, (row, ids) each, padded on the left, and the rows as a tensor; the batch's
    mask is of all that the model looks at."""
    owners = torch.tensor([row for row, _ in rows], device=device)
    return left_padded([ids for _, ids in rows], pad, reading.mask[owners] if reading else None, device), owners


def readings(
    model: nn.Module, branch: Branch, pad: int, tokens: int
) -> Iterator[tuple[Reading | None, list[tuple[int, int, int]]]]:
    """Each beginning of a tree is read once. Gives what was read, beginnings of like length together, and the leaves that go on
    from there: (row, number, length of the beginning) each."""
    yield None, [(0, number, 0) for number in branch.leaves]
    yield from _branch_readings(model, None, [(0, 0, child) for child in branch.branches], pad, tokens)


def _branch_readings(
    model: nn.Module, reading: Reading | None, rows: list[tuple[int, int, Branch]], pad: int, tokens: int
) -> Iterator[tuple[Reading | None, list[tuple[int, int, int]]]]:
    """Of branches that go on from a reading: (row, length of what is read, branch) each."""
    device = next(model.parameters()).device
    for part in bounded_batches([len(b.ids) - read for _, read, b in rows], reading, tokens):
        chosen = [rows[i] for i in part]
        batch, owners = following_batch(reading, [(row, branch.ids[read:]) for row, read, branch in chosen], pad, device)
        cache = resumed(reading, owners)
        logits = last_logits(model, batch, 1, cache)
        ids = batch.input_ids if reading is None else torch.cat([reading.ids[owners], batch.input_ids], 1)
        own = [(layer.keys, layer.values) for layer in cache.layers]
        extension = Reading(ids, batch.attention_mask, logits, own, reading, owners)
        yield extension, [(row, leaf, len(b.ids)) for row, (_, _, b) in enumerate(chosen) for leaf in b.leaves]
        further = [(row, len(b.ids), child) for row, (_, _, b) in enumerate(chosen) for child in b.branches]
        yield from _branch_readings(model, extension, further, pad, tokens)


def bounded_batches(lengths: Sequence[int], reading: Reading | None, tokens: int) -> list[list[int]]:
    """Batches of similar length of what follows a reading, whose copies are bounded too."""
    if reading is None:
        return by_length(lengths, tokens)
    whole = reading.mask.shape[1] + max(lengths, default=0)
    return by_length(lengths, tokens, max(1, PREFIX_BOUND_RATIO * tokens // whole))

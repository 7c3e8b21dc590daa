"""Log-likelihood of continuations given contexts, for a decoder: what tasks, cloze and multiple-choice probes all ask.

Equal forward passes are done once, batches are of similar length, and a prefix that all contexts share is read once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bench.batches import by_length
from bench.encoding import Batch
from bench.forward import accepts, last_logits

MIN_PREFIX = 16
"""Shorter shared prefixes are not worth a cache."""

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Likelihood:
    """`total` nats (a log-probability, at most 0) over `tokens` tokens; `greedy`: each token was the most likely one."""

    total: float
    tokens: int
    greedy: bool


@torch.inference_mode()
def likelihoods(
    model: nn.Module, requests: Sequence[tuple[Sequence[int], Sequence[int]]], pad: int, tokens: int
) -> list[Likelihood]:
    """One answer per (context ids, continuation ids), both at least one token; `tokens` bounds a padded batch."""
    # Requests that differ in the last token alone ask for the same forward pass (one-word answers to one question).
    passes: dict[tuple[Ids, int], list[int]] = {}
    for index, (context, continuation) in enumerate(requests):
        fed = (*context, *continuation[:-1])
        passes.setdefault((fed, len(continuation)), []).append(index)
    keys = list(passes)
    device = next(model.parameters()).device
    prefix = _shared_prefix([fed[: len(fed) - length + 1] for fed, length in keys]) if accepts(model, "past_key_values") else ()
    state = _read(model, prefix, device) if prefix else None
    answers: dict[int, Likelihood] = {}
    for batch in by_length([len(fed) - len(prefix) for fed, _ in keys], tokens):
        rows = [keys[i][0][len(prefix) :] for i in batch]
        width = max(keys[i][1] for i in batch)
        logits = last_logits(model, _left_padded(rows, pad, len(prefix), device), width, _repeated(model, state, len(rows)))
        logits = logits.float().log_softmax(-1)
        for row, i in enumerate(batch):
            length = keys[i][1]
            for index in passes[keys[i]]:
                wanted = torch.tensor(requests[index][1], device=device)
                logprobs = logits[row, -length:].gather(1, wanted[:, None])[:, 0]
                greedy = bool((logits[row, -length:].argmax(-1) == wanted).all())
                answers[index] = Likelihood(float(logprobs.sum()), length, greedy)
    return [answers[index] for index in range(len(requests))]


def _shared_prefix(contexts: Sequence[Ids]) -> Ids:
    """The longest common beginning, leaving each context its last token; empty when not worth it."""
    first, last = min(contexts), max(contexts)
    limit = min(len(context) for context in contexts) - 1
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), limit)
    length = min(length, limit)
    return first[:length] if length >= MIN_PREFIX and len(contexts) > 1 else ()


def _read(model: nn.Module, prefix: Ids, device: torch.device) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Keys and values of the prefix, per layer (1, heads, length, size)."""
    from transformers import DynamicCache

    cache = DynamicCache()
    ids = torch.tensor([prefix], device=device)
    model(input_ids=ids, attention_mask=torch.ones_like(ids), past_key_values=cache, use_cache=True, logits_to_keep=1)
    return [(layer.keys, layer.values) for layer in cache.layers]


def _repeated(model: nn.Module, state: list[tuple[torch.Tensor, torch.Tensor]] | None, rows: int) -> Any:
    """A fresh cache that holds the prefix for each row; the model appends to it."""
    if state is None:
        return None
    from transformers import DynamicCache

    cache = DynamicCache()
    for layer, (keys, values) in enumerate(state):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    return cache


def _left_padded(rows: Sequence[Sequence[int]], pad: int, prefix: int, device: torch.device) -> Batch:
    longest = max(map(len, rows))
    padding = [longest - len(row) for row in rows]
    ids = torch.tensor([[pad] * p + list(row) for p, row in zip(padding, rows, strict=True)])
    mask = torch.tensor([[1] * prefix + [0] * p + [1] * (longest - p) for p in padding])
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, prefix:]
    return Batch(ids.to(device), mask.to(device), positions.to(device), labels=torch.empty(0))

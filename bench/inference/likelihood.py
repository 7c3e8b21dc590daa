"""Log-likelihood of continuations given contexts, for a decoder: what tasks, cloze and multiple-choice probes all ask.

Nothing is read twice: one-token answers to a context come from one pass, longer ones branch off its keys and values, and a
prefix that all contexts share is cached. Batches are of similar length.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from bench.inference.backend import Continuation, Ids, Likelihood
from bench.modeling.forward import caches, last_logits, token_losses
from bench.tokens.batches import by_length, padded
from bench.tokens.encoded import Batch, Encoded, left_padded

MIN_PREFIX = 16
"""Shorter shared prefixes are not worth a cache."""

Found = dict[Continuation, Likelihood]
State = list[tuple[Tensor, Tensor]]
"""Keys and values per layer, each (rows, heads, length, size)."""


@torch.no_grad()
def likelihoods(model: nn.Module, requests: Sequence[Continuation], pad: int, tokens: int) -> list[Likelihood]:
    """One answer per (context ids, continuation ids), both at least one token; `tokens` bounds a padded batch."""
    groups: dict[Ids, dict[Ids, list[int]]] = {}
    for index, (context, continuation) in enumerate(requests):
        groups.setdefault(tuple(context), {}).setdefault(tuple(continuation), []).append(index)
    cached = caches(model)
    several = {c: list(answers) for c, answers in groups.items() if cached and len(answers) > 1 and max(map(len, answers)) > 1}
    alone = [(context, answer) for context, answers in groups.items() if context not in several for answer in answers]
    judged = _in_one_pass(model, alone, pad, tokens, cached) | _branching(model, several, pad, tokens)
    return [judged[tuple(context), tuple(continuation)] for context, continuation in requests]


@torch.no_grad()
def text_losses(model: nn.Module, texts: Sequence[Encoded], pad: int, tokens: int) -> list[float]:
    """Nats of each text, summed over its targets; `tokens` bounds a padded batch as it bounds those that need no logits."""
    device = next(model.parameters()).device
    sums = [0.0] * len(texts)
    # Logits are needed everywhere here, (tokens, vocabulary) in fp32: half the usual batch.
    for indices, batch in padded(texts, pad, tokens // 2, device):
        losses = token_losses(last_logits(model, batch, batch.labels.shape[1]), batch.labels)
        for index, total in zip(indices, losses.double().sum(1).tolist(), strict=True):
            sums[index] = total
    return sums


def _in_one_pass(model: nn.Module, requests: Sequence[Continuation], pad: int, tokens: int, cached: bool) -> Found:
    """Context and continuation are fed together; one-token answers to one context come from the same pass."""
    passes: dict[tuple[Ids, int], list[Continuation]] = {}
    for context, continuation in requests:
        passes.setdefault(((*context, *continuation[:-1]), len(continuation)), []).append((context, continuation))
    keys = list(passes)
    device = next(model.parameters()).device
    prefix = _shared_prefix([fed[: len(fed) - length + 1] for fed, length in keys]) if cached else ()
    state = _read(model, prefix, device) if prefix else None
    judged: Found = {}
    for batch in by_length([len(fed) - len(prefix) for fed, _ in keys], tokens):
        rows = [keys[i][0][len(prefix) :] for i in batch]
        width = max(keys[i][1] for i in batch)
        cache = _copied(state, torch.zeros(len(rows), dtype=torch.long, device=device)) if state else None
        logits = last_logits(model, left_padded(rows, pad, len(prefix), device), width, cache)
        logprobs = logits.float().log_softmax(-1)
        for row, i in enumerate(batch):
            for context, continuation in passes[keys[i]]:
                judged[context, continuation] = _judged(logprobs[row, -len(continuation) :], continuation)
    return judged


def _branching(model: nn.Module, groups: Mapping[Ids, Sequence[Ids]], pad: int, tokens: int) -> Found:
    """A context is read once, and its keys and values serve each of its continuations."""
    contexts = list(groups)
    device = next(model.parameters()).device
    judged: Found = {}
    for batch in by_length([len(context) for context in contexts], tokens):
        read = left_padded([contexts[i] for i in batch], pad, 0, device)
        cache = DynamicCache()
        first = last_logits(model, read, 1, cache).float().log_softmax(-1)
        state = _state(cache)
        rows = [(row, answer) for row, i in enumerate(batch) for answer in groups[contexts[i]]]
        for part in by_length([len(answer) for _, answer in rows], tokens):
            branches = [rows[i] for i in part]
            rest = _branched(model, read, state, branches, pad).float().log_softmax(-1)
            for number, (row, answer) in enumerate(branches):
                logprobs = torch.cat([first[row], rest[number, : len(answer) - 1]])
                judged[contexts[batch[row]], answer] = _judged(logprobs, answer)
    return judged


def _branched(model: nn.Module, read: Batch, state: State, rows: Sequence[tuple[int, Ids]], pad: int) -> Tensor:
    """Logits (rows, longest - 1, vocabulary) of continuations (row of the context read, ids) after their first token."""
    device = read.input_ids.device
    owners = torch.tensor([row for row, _ in rows], device=device)
    width = max(1, *(len(answer) - 1 for _, answer in rows))
    lengths = torch.tensor([len(answer) - 1 for _, answer in rows], device=device)[:, None]
    steps = torch.arange(width, device=device)
    # Continuations are padded on the right: a causal model never looks at what stands after its own tokens.
    ids = torch.tensor([[*answer[:-1], *[pad] * (width + 1 - len(answer))] for _, answer in rows], device=device)
    mask = torch.cat([read.attention_mask[owners], (steps < lengths).long()], dim=1)
    positions = read.attention_mask.sum(1)[owners][:, None] + steps
    return last_logits(model, Batch(ids, mask, positions, labels=ids), width, _copied(state, owners))


def _judged(logprobs: Tensor, continuation: Ids) -> Likelihood:
    """From the log-probabilities (length, vocabulary) at each of the continuation's tokens."""
    wanted = torch.tensor(continuation, device=logprobs.device)
    total = float(logprobs.gather(1, wanted[:, None]).sum())
    likeliest = tuple(logprobs.argmax(-1).tolist())
    return Likelihood(total, len(continuation), likeliest == continuation, likeliest)


def _shared_prefix(contexts: Sequence[Ids]) -> Ids:
    """The longest common beginning, leaving each context its last token; empty when not worth it."""
    if len(contexts) < 2:
        return ()
    first, last = min(contexts), max(contexts)
    limit = min(len(context) for context in contexts) - 1
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), limit)
    length = min(length, limit)
    return first[:length] if length >= MIN_PREFIX else ()


def _read(model: nn.Module, prefix: Ids, device: torch.device) -> State:
    cache = DynamicCache()
    ids = torch.tensor([prefix], device=device)
    model(input_ids=ids, attention_mask=torch.ones_like(ids), past_key_values=cache, use_cache=True, logits_to_keep=1)
    return _state(cache)


def _state(cache: DynamicCache) -> State:
    return [(layer.keys, layer.values) for layer in cache.layers]


def _copied(state: State, rows: Tensor) -> DynamicCache:
    """A fresh cache that holds the state's rows in the given order; the model appends to it."""
    cache = DynamicCache()
    for layer, (keys, values) in enumerate(state):
        cache.update(keys[rows], values[rows], layer)
    return cache

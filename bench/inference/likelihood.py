"""Log-likelihood of continuations given contexts, for a decoder: what tasks, cloze and multiple-choice probes all ask.

Nothing is read twice: what contexts begin with alike is read once, be it an instruction or the question in front of choices,
and one-token answers to a context come from one pass. Batches are of similar length.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.inference.backend import Continuation, Ids, Likelihood
from bench.inference.prefix_cache import Reading, bounded_batches, following_batch, readings, resumed
from bench.modeling.forward import caches, last_logits, target_losses
from bench.tokens.batches import padded
from bench.tokens.encoded import Encoded
from bench.tokens.shared_prefixes import root


@dataclass(frozen=True)
class Pass:
    """What is read to judge continuations of one context that differ in their last token alone."""

    context: Ids
    rest: Ids
    """The continuations without their last token."""
    continuations: list[Ids]

    @property
    def ids(self) -> Ids:
        """All that is read; the last token of a continuation is judged, and not read."""
        return self.context + self.rest

    @property
    def width(self) -> int:
        """Tokens of a continuation."""
        return len(self.rest) + 1


@torch.no_grad()
def likelihoods(model: nn.Module, requests: Sequence[Continuation], pad: int, tokens: int) -> list[Likelihood]:
    """One answer per (context ids, continuation ids), both at least one token; `tokens` bounds a padded batch."""
    pairs = [(tuple(context), tuple(continuation)) for context, continuation in requests]
    known: dict[tuple[Ids, Ids], Pass] = {}
    for context, continuation in dict.fromkeys(pairs):
        key = context, continuation[:-1]
        known.setdefault(key, Pass(*key, [])).continuations.append(continuation)
    passes = list(known.values())
    # Up to the context's end: what is likely after its last token is known where that is read.
    tree = root([each.ids for each in passes], [len(each.context) for each in passes], caches(model))
    answers: dict[Continuation, Likelihood] = {}
    for reading, leaves in readings(model, tree, pad, tokens):
        answers |= pass_likelihoods(model, reading, [(row, passes[number], read) for row, number, read in leaves], pad, tokens)
    return [answers[request] for request in pairs]


def pass_likelihoods(
    model: nn.Module, reading: Reading | None, rows: Sequence[tuple[int, Pass, int]], pad: int, tokens: int
) -> dict[Continuation, Likelihood]:
    """The continuations of passes that go on from a reading. A row is (row of the reading, pass, how much of it is read)."""
    return {
        (each.context, words): _continuation_likelihood(logprobs, words)
        for each, logprobs in _continuation_logprobs(model, reading, rows, pad, tokens)
        for words in each.continuations
    }


def _continuation_logprobs(
    model: nn.Module, reading: Reading | None, rows: Sequence[tuple[int, Pass, int]], pad: int, tokens: int
) -> Iterator[tuple[Pass, Tensor]]:
    """Log-probabilities (width, vocabulary) at the tokens of each pass's continuations."""
    device = next(model.parameters()).device
    fed = [each.ids[read:] for _, each, read in rows]
    if reading is not None:
        known = ((each, reading.logits[row]) for (row, each, _), ids in zip(rows, fed, strict=True) if not ids)
        yield from ((each, _logprobs(logits)) for each, logits in known)
    waiting = [number for number, ids in enumerate(fed) if ids]
    for part in bounded_batches([len(fed[number]) for number in waiting], reading, tokens):
        numbers = [waiting[place] for place in part]
        batch, owners = following_batch(reading, [(rows[n][0], fed[n]) for n in numbers], pad, device)
        # Of a context that was read whole, what comes after its last token is known already: one place less is fed.
        width = max(min(rows[n][1].width, len(fed[n])) for n in numbers)
        cache = resumed(reading, owners) if reading else None
        for number, logits in zip(numbers, last_logits(model, batch, width, cache), strict=True):
            row, each, read = rows[number]
            if reading is not None and read == len(each.context):
                logits = torch.cat([reading.logits[row], logits[width - len(each.rest) :]])
            yield each, _logprobs(logits[-each.width :])


def _logprobs(logits: Tensor) -> Tensor:
    """In fp32. Of one row at a time: of a batch of chats it would be gigabytes."""
    return logits.float().log_softmax(-1)


@torch.no_grad()
def text_losses(model: nn.Module, texts: Sequence[Encoded], pad: int, tokens: int) -> list[float]:
    """Nats of each text, summed over its targets; `tokens` bounds a padded batch as it bounds those that need no logits."""
    device = next(model.parameters()).device
    sums = [0.0] * len(texts)
    # Logits are needed nearly everywhere here, (tokens, vocabulary) in fp32: half the usual batch.
    for indices, batch in padded(texts, pad, tokens // 2, device):
        losses = target_losses(model, batch).double()
        for index, total in zip(indices, losses.sum(1).tolist(), strict=True):
            sums[index] = total
    return sums


def _continuation_likelihood(logprobs: Tensor, continuation: Ids) -> Likelihood:
    """From the log-probabilities (length, vocabulary) at each of the continuation's tokens."""
    wanted = torch.tensor(continuation, device=logprobs.device)
    nats = tuple(logprobs.gather(1, wanted[:, None])[:, 0].tolist())
    likeliest = tuple(logprobs.argmax(-1).tolist())
    return Likelihood(nats, likeliest == continuation, likeliest)

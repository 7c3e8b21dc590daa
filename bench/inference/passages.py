"""Texts that a decoder reads whole, in windows: what corpus tasks and the probe `lm-loss` both ask.

A text longer than the model reads is cut into windows that overlap by half, and every token is counted in exactly one of them,
with what stands before it in its window as context. A text's first token is predicted only where the tokenizer puts a BOS
before it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from bench.inference.backend import Backend
from bench.tasks.encoding import Encoding
from bench.tokens.encoded import Encoded

ONE_BYTE = "<0x"
"""How the name of a token begins that is one byte, where a tokenizer spells unknown letters so: `<0xE2>`."""


class PassageLoss(NamedTuple):
    """Of all that is predicted of one text."""

    nats: float
    tokens: int
    bytes: int
    """In UTF-8."""


def passage_losses(backend: Backend, encoding: Encoding, texts: Sequence[str]) -> list[PassageLoss]:
    """Each text's nats, summed over all of its windows, and what they are spread over.

    Raises:
        UserError: a text has nothing to predict.
    """
    passages = [encoding.passage(text) for text in texts]
    cuts = [(n, *cut) for n, ids in enumerate(passages) for cut in windows(len(ids), encoding.max_length)]
    sums = backend.losses([Encoded(passages[n][start:end], answer=counted) for n, start, end, counted in cuts])
    nats = [0.0] * len(passages)
    for (n, *_), total in zip(cuts, sums, strict=True):
        nats[n] += total
    sizes = [_predicted_bytes(encoding, text, ids) for text, ids in zip(texts, passages, strict=True)]
    # All ids but the first are predicted; it is the BOS, or where there is none the text's own first token.
    return [PassageLoss(total, len(ids) - 1, size) for total, ids, size in zip(nats, passages, sizes, strict=True)]


def windows(length: int, size: int) -> list[tuple[int, int, int]]:
    """(start, end, counted): the last `counted` of the tokens start..end are predicted, every token but the first once."""
    end = min(length, size)
    cuts = [(0, end, end - 1)]
    while end < length:
        before, end = end, min(end + size // 2, length)
        cuts.append((end - size, end, end - before))
    return cuts


def _predicted_bytes(encoding: Encoding, text: str, ids: tuple[int, ...]) -> int:
    """UTF-8 bytes of what is predicted: the text without its first token, or all of it behind a BOS."""
    tokenizer = encoding.model.tokenizer
    first = str(tokenizer.decode([ids[0]], skip_special_tokens=True))
    if "\N{REPLACEMENT CHARACTER}" not in first or text.startswith(first):
        return len(text.encode()) - len(first.encode())
    # As that sign bytes are decoded that are no whole letter. The token's name tells them: it is one byte's, or has a sign for
    # each of them.
    token = str(tokenizer.convert_ids_to_tokens(ids[0]))
    return len(text.encode()) - (1 if token.startswith(ONE_BYTE) else len(token))

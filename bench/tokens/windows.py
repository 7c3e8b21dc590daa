"""An encoder's inputs from a fast tokenizer: one text or pair cut to the limit, or a long text in overlapping windows."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from bench.tokens.encoded import Encoded

SPECIAL = 4
"""Most special tokens that a model puts around a pair: RoBERTa's <s> A </s></s> B </s>."""

Span = tuple[int, int] | None
"""First and last character (exclusive) of a piece of the long text; None for what is no part of it."""


def whole(tokenizer: Any, limit: int, texts: Sequence[str]) -> Encoded:
    """A text or a pair of texts; what is too long loses its end."""
    tokenised = tokenizer(*texts, truncation=True, max_length=limit)
    # A fast tokenizer keeps what it cut off, asked for or not.
    lost = bool(tokenised.encodings[0].overflowing)
    return Encoded(tuple(tokenised["input_ids"]), types=tuple(tokenised.get("token_type_ids", ())), truncated=lost)


def over_words(tokenizer: Any, limit: int, before: str, words: Sequence[str]) -> list[Encoded]:
    """`before` and then the words; a token's place is its word's number on the word's first piece, else None.

    Every word's first piece has a place in at least one window.
    """
    starts = list(accumulate((len(word) + 1 for word in words[:-1]), initial=0))
    windows = over_text(tokenizer, limit, before, " ".join(words))
    owned = [[(_word_of_piece(starts, span), span[0]) for span in w.places if span and span[1] > span[0]] for w in windows]
    # From last to first, so that the first stays.
    begins = dict(sorted({piece for window in owned for piece in window}, reverse=True))
    return [replace(window, places=_first_pieces(starts, window.places, begins)) for window in windows]


def over_text(tokenizer: Any, limit: int, before: str, text: str) -> list[Encoded]:
    """`before` and then the text; a token's place is the span of characters of the text that it stands for."""
    lead = _last_tokens(tokenizer, before.strip(), (limit - SPECIAL) // 2)
    texts = [lead, text] if lead else [text]
    tokenised = _overlapping_windows(tokenizer, limit, texts)
    numbers = range(len(tokenised["input_ids"]))
    return [_window(tokenised, number, len(texts) - 1, tokenised["offset_mapping"][number]) for number in numbers]


def _last_tokens(tokenizer: Any, text: str, limit: int) -> str:
    """The text's last `limit` tokens, so that room is left for what follows: a question ends a conversation."""
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"] if text else []
    return text[offsets[-limit:][0][0] :] if offsets else ""


def _overlapping_windows(tokenizer: Any, limit: int, texts: Sequence[str]) -> Any:
    """Windows of at most `limit` tokens; neighbours share an eighth of that."""
    part = "only_second" if len(texts) > 1 else "only_first"
    # The tokenizer panics where the overlap is not smaller than the room beside the other text and the special tokens
    # (huggingface/transformers#18411). `_last_tokens` leaves about half of the limit, so that an eighth always is.
    wanted = {"return_overflowing_tokens": True, "return_offsets_mapping": True}
    return tokenizer(*texts, truncation=part, max_length=limit, stride=limit // 8, **wanted)


def _window(tokenised: Any, number: int, part: int, places: Sequence[Span]) -> Encoded:
    """One window; tokens outside the long text, which is `part` of the input, have no place."""
    inside = [sequence == part for sequence in tokenised.sequence_ids(number)]
    types = tokenised["token_type_ids"][number] if "token_type_ids" in tokenised else ()
    kept = tuple(place if here else None for place, here in zip(places, inside, strict=True))
    return Encoded(tuple(tokenised["input_ids"][number]), types=tuple(types), places=kept)


def _word_of_piece(starts: Sequence[int], span: tuple[int, int]) -> int:
    """The word that a piece ends in: with some tokenizers it holds the space before."""
    return bisect_right(starts, span[1] - 1) - 1


def _first_pieces(starts: Sequence[int], spans: Sequence[Span], begins: Mapping[int, int]) -> tuple[int | None, ...]:
    """Each word's number on the piece with which the word begins, which an earlier window may have instead."""
    words: list[int | None] = []
    for span in spans:
        word = _word_of_piece(starts, span) if span and span[1] > span[0] else None
        first = word is not None and span is not None and begins[word] == span[0] and word not in words
        words.append(word if first else None)
    return tuple(words)

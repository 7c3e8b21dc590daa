"""An encoder's inputs from a fast tokenizer: one text or pair cut to the limit, or a long text in overlapping windows."""

from collections.abc import Sequence
from typing import Any

from bench.encoded import Encoded

SPECIAL = 4
"""Most special tokens that a model puts around a pair."""

Place = int | tuple[int, int] | None
"""Number of a word, or first and last character (exclusive) of a piece of text."""


def whole(tokenizer: Any, limit: int, texts: Sequence[str]) -> Encoded:
    """A text or a pair of texts; what is too long loses its end."""
    found = tokenizer(*texts, truncation=True, max_length=limit)
    return Encoded(tuple(found["input_ids"]), types=tuple(found.get("token_type_ids", ())))


def over_words(tokenizer: Any, limit: int, before: str, words: Sequence[str]) -> list[Encoded]:
    """`before` and then the words; a token's place is its word's number on the word's first piece, else None.

    Every word's first piece has a place in at least one window.
    """
    lead = _cut(tokenizer, before, (limit - SPECIAL) // 2).split()
    texts = [lead, list(words)] if lead else [list(words)]
    found = _overflowing(tokenizer, limit, texts, is_split_into_words=True)
    numbers = range(len(found["input_ids"]))
    return [_window(found, number, len(texts) - 1, _first_pieces(found, number, len(texts) - 1)) for number in numbers]


def over_text(tokenizer: Any, limit: int, before: str, text: str) -> list[Encoded]:
    """`before` and then the text; a token's place is the span of characters of the text that it stands for."""
    lead = _cut(tokenizer, before, (limit - SPECIAL) // 2)
    texts = [lead, text] if lead else [text]
    found = _overflowing(tokenizer, limit, texts, return_offsets_mapping=True)
    numbers = range(len(found["input_ids"]))
    return [_window(found, number, len(texts) - 1, found["offset_mapping"][number]) for number in numbers]


def _cut(tokenizer: Any, text: str, limit: int) -> str:
    """The text's last `limit` tokens, so that room is left for what follows: a question ends a conversation."""
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"] if text else []
    return text[offsets[-limit:][0][0] :] if offsets else ""


def _overflowing(tokenizer: Any, limit: int, texts: Sequence[Any], **more: Any) -> Any:
    """Windows of at most `limit` tokens; neighbours share an eighth of that."""
    part = "only_second" if len(texts) > 1 else "only_first"
    more |= {"truncation": part, "max_length": limit, "stride": limit // 8, "return_overflowing_tokens": True}
    return tokenizer(*texts, **more)


def _window(found: Any, number: int, part: int, places: Sequence[Place]) -> Encoded:
    """One window; tokens outside the long text, which is `part` of the input, have no place."""
    inside = [sequence == part for sequence in found.sequence_ids(number)]
    types = found["token_type_ids"][number] if "token_type_ids" in found else ()
    kept = tuple(place if here else None for place, here in zip(places, inside, strict=True))
    return Encoded(tuple(found["input_ids"][number]), types=tuple(types), places=kept)


def _first_pieces(found: Any, number: int, part: int) -> list[int | None]:
    """Each word's number on its first piece. A later window may begin inside a word, which the window before has whole."""
    words = [w if s == part else None for w, s in zip(found.word_ids(number), found.sequence_ids(number), strict=True)]
    cut = next((word for word in words if word is not None), None) if number else None
    return [w if w not in (before, cut) else None for w, before in zip(words, [None, *words[:-1]], strict=True)]

"""A text's words, as texts are compared by them: in training and test, and in training and a probe's passages."""

import unicodedata

import regex

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts that are written without space between words: each letter counts as one, as in sacreBLEU's tokenizer `zh`."""
# A letter's marks belong to it. `\w` alone has none of them: it cuts words at the vowel signs of Hindi and Tamil.
WORD = regex.compile(rf"[{UNSPACED}]\p{{M}}*|[\w--[{UNSPACED}]][\w\p{{M}}--[{UNSPACED}]]*", regex.V1)


def words_of(text: str) -> list[str]:
    """In lower case, without punctuation, and the same however the text's letters are encoded (Unicode's NFKC)."""
    words: list[str] = WORD.findall(unicodedata.normalize("NFKC", text).lower())
    return words


LETTERS_AND_DIGITS = regex.compile(r"\p{L}\p{M}*|[\p{N}_]+")
JOINS_LETTERS = regex.compile(r"[\p{Cf}\p{Variation_Selector}]+")
"""What joins and shapes letters, and is none itself."""


def letters_of(text: str) -> str:
    """The letters with their marks and the digits alone, in lower case and in NFKC: equal for a text and its tokenised,
    re-cased or re-spaced copy. Of a text of signs alone nothing is left."""
    shown = unicodedata.normalize("NFKC", JOINS_LETTERS.sub("", text)).lower()
    # The small letter of a Turkish dotted capital has a second dot, as a mark of its own.
    return "".join(LETTERS_AND_DIGITS.findall(shown.replace("i\N{COMBINING DOT ABOVE}", "i")))

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

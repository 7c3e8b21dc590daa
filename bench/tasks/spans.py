"""Entities as spans of words: between BIO tags, the words of a text, and the places of quoted names in it."""

import re
from collections.abc import Iterable, Iterator, Sequence

import regex

Entity = tuple[str, int, int]
"""Label, first word, last word (exclusive)."""

# To Unicode the backtick is a symbol, and in texts it stands for a quotation mark.
MARKS = regex.compile(r"^[\p{P}`]+|[\p{P}`]+$")
SENTENCE = re.compile(r"\S.*?(?:[.?!](?=\s+[A-Z0-9(\[])|\n|$)")
"""Up to a full stop before a capital letter, a number or a bracket, or to the line's end."""


def find_words(words: Sequence[str], wanted: Sequence[str], start: int) -> tuple[int, int] | None:
    """First and last word (exclusive) of the first occurrence of `wanted` at or after word `start`."""
    last = len(words) - len(wanted)
    return next(
        ((i, i + len(wanted)) for i in range(start, last + 1) if list(words[i : i + len(wanted)]) == list(wanted)), None
    )


def find_name(words: Sequence[str], name: str, taken: Sequence[bool], after: int) -> tuple[int, int] | None:
    """The words of a name that somebody wrote: its first place at or after a word, else before it, of which no word is taken;
    or of words that differ in the marks around them alone. Who quotes `33 mmHg` means it also where a full stop follows."""
    bare = [_without_marks(word) for word in words]
    for said, known in ((name.split(), list(words)), ([_without_marks(word) for word in name.split()], bare)):
        places = range(len(words) - len(said) + 1)
        for start in (*places[after:], *places[:after]):
            if known[start : start + len(said)] == said and not any(taken[start : start + len(said)]):
                return start, start + len(said)
    return None


def _without_marks(word: str) -> str:
    """Without the marks around it, unless it is nothing else. Marks of letters and symbols belong to a name: `C++`, `हिन्दी`."""
    return MARKS.sub("", word) or word


def tagged(length: int, spans: Iterable[Entity]) -> list[str]:
    """BIO tags of `length` words."""
    tags = ["O"] * length
    for kind, start, end in spans:
        tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return tags


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities of tags, in order; an I- tag that continues nothing begins an entity (as in conlleval)."""
    spans: list[Entity] = []
    for place, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if prefix == "I" and spans and spans[-1][0] == kind and spans[-1][2] == place:
            spans[-1] = (kind, spans[-1][1], place + 1)
        elif prefix in ("B", "I"):
            spans.append((kind, place, place + 1))
    return spans


def quoted(text: str, names: Iterable[tuple[str, str]]) -> list[Entity]:
    """The (label, name) pairs in any order, each at its first place where no other is yet, as the words that it touches.

    A place inside a longer word (`men` in `treatments`) is taken only where the name stands nowhere by itself. One that stands
    nowhere but inside others is left out.

    Raises:
        ValueError: a name is not in the text.
    """
    words = [match.span() for match in re.finditer(r"\S+", text)]
    taken: set[int] = set()
    spans: list[Entity] = []
    for kind, name in names:
        anywhere = re.escape(name.strip())
        alone = rf"(?<!\w){anywhere}(?!\w)"
        places = list(dict.fromkeys(match.start() for form in (alone, anywhere) for match in re.finditer(form, text)))
        if not places:
            raise ValueError(f"entity '{name}' is not in the text")
        for place in places:
            touched = [i for i, (start, end) in enumerate(words) if start < place + len(name.strip()) and end > place]
            if not taken & set(touched):
                taken |= set(touched)
                spans.append((kind, touched[0], touched[-1] + 1))
                break
    return sorted(spans, key=lambda span: span[1])


def sentence_bounds(text: str) -> Iterator[tuple[int, int]]:
    """First and last word (exclusive) of each sentence, of the text split at white space."""
    for match in SENTENCE.finditer(text):
        start = len(text[: match.start()].split())
        yield start, start + len(match[0].split())

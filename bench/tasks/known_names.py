"""The names that a training set tags: which mentions elsewhere are among them, and what the bare list would tag.

A list that tags a test set well says that the test asks for memory of names, and little of how names are found.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.tasks.examples import Example
from bench.tasks.spans import entities, tagged


@dataclass(frozen=True)
class Names:
    """Names as their words, each with the label that it mostly has."""

    labels: dict[tuple[str, ...], str]

    @classmethod
    def of(cls, examples: Iterable[Example]) -> "Names":
        counts: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for example in examples:
            words = example.fields["text"].split()
            for label, start, end in entities(example.gold):
                counts[tuple(words[start:end])][label] += 1
        return cls({name: labels.most_common(1)[0][0] for name, labels in counts.items()})

    def runs(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """First and last word (exclusive) of every run of words that is one of the names."""
        longest = sorted({len(name) for name in self.labels})
        return [
            (start, start + length)
            for start in range(len(words))
            for length in longest
            if tuple(words[start : start + length]) in self.labels and start + length <= len(words)
        ]

    def tags(self, words: Sequence[str]) -> list[str]:
        """What the list alone says: from left to right, the longest name that begins at a word."""
        ends = dict(self.runs(words))  # of equal starts the last one stays, which is the longest
        spans, place = [], 0
        while place < len(words):
            if end := ends.get(place):
                spans.append((self.labels[tuple(words[place:end])], place, end))
            place = end or place + 1
        return tagged(len(words), spans)

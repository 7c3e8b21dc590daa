"""How much goes through a model: token ids as the counts that its floating-point operations grow with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.tokens.encoded import Encoded


@dataclass(frozen=True)
class TokenCounts:
    """What a model reads, all rows together."""

    tokens: int = 0
    """Places of the backbone: rows x length where nothing is shared."""
    pairs: int = 0
    """Pairs of places that attention compares: rows x length^2 where nothing is shared."""
    positions: int = 0
    """Places of the output head: those of a decoder's logits; for an encoder one per text, or one per token."""
    rows: int = 0

    def __add__(self, other: "TokenCounts") -> "TokenCounts":
        return TokenCounts(*(mine + its for mine, its in zip(self.counts, other.counts, strict=True)))

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """In the order of the fields."""
        return self.tokens, self.pairs, self.positions, self.rows


def padded_counts(batch: Sequence[Encoded], shared: int = 0) -> TokenCounts:
    """What a batch is once it is padded: all its rows are as long as the longest. A decoder has logits at targets alone, and
    the `shared` tokens that all its rows begin with are read once."""
    # Choices are rows of their own.
    rows = len(batch) * max(len(encoded.lengths) or 1 for encoded in batch)
    length = max(max(encoded.lengths, default=encoded.fed) for encoded in batch)
    if batch[0].decodes:
        rest = length - shared
        tokens, pairs = rows * rest + shared, rows * rest * length + shared**2
        return TokenCounts(tokens, pairs, sum(encoded.targets for encoded in batch), rows)
    # One label is that of the whole text; else the head answers at every token, be there a label or not.
    single = max(len(encoded.labels) for encoded in batch) == 1
    return TokenCounts(rows * length, rows * length**2, rows if single else rows * length, rows)


def useful_counts(examples: Iterable[Encoded]) -> TokenCounts:
    """What the examples are one at a time, choices too: without padding, with logits at the targets alone."""
    return sum((padded_counts([part]) for encoded in examples for part in encoded.sequences() or [encoded]), TokenCounts())

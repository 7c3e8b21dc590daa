"""What two sets of texts share: what a model that has seen one of them need not answer for itself in the other.

Case, punctuation and white space never count. Texts that are equal are found by whoever compares them whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from bench.tasks.words import words_of

THRESHOLD = 0.7
"""Share of word pairs from which two texts count as nearly the same (Broder 1997, with pairs as shingles)."""
MIN_PAIRS = 7
"""Word pairs from which a text is looked for inside a longer one: of fewer, a common phrase (`one of the best`) is most."""
MIN_WORDS = 3
"""Words from which a text counts where it stands whole in another: `bad` and `very bad` are vocabulary, not a seen text."""
SEED_LETTERS = 12
"""Letters and digits by which texts are first looked up in others; longer ones make fewer candidates."""
TEXTS_AT_ONCE = 2000
"""It bounds the product of shared pairs in memory."""


class Texts:
    """Texts as they are compared: cut up once, however many other sets they are held against."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    @cached_property
    def words(self) -> "list[_Words]":
        return [_Words.of(text) for text in self.texts]

    @cached_property
    def pairs(self) -> csr_matrix:
        """Texts x hashed word pairs, 1 where the text has the pair."""
        from sklearn.feature_extraction.text import HashingVectorizer  # half a second; what texts share is mostly kept

        # Hashed, so that no vocabulary of all pairs is kept. norm and alternate_sign would make other numbers of the 0s and 1s.
        vectorizer = HashingVectorizer(
            ngram_range=(2, 2),
            tokenizer=words_of,
            token_pattern=None,  # or a warning says that it is not used
            lowercase=False,
            n_features=2**22,
            binary=True,
            norm=None,
            alternate_sign=False,
        )
        return vectorizer.transform(self.texts)

    @cached_property
    def sizes(self) -> npt.NDArray[np.float64]:
        """How many word pairs each text has."""
        return np.asarray(self.pairs.sum(1)).ravel()


def near(texts: Texts, others: Texts, threshold: float = THRESHOLD) -> list[int]:
    """Indices of the texts that share `threshold` of their word pairs with one of the others.

    It is the share of the shorter text's pairs where that has at least `MIN_PAIRS`, so that a near copy inside a longer text is
    found (containment: Broder 1997), else of both texts' pairs together (Jaccard). One word has no pairs.
    """
    if not texts.texts or not others.texts:
        return []
    other_pairs = others.pairs.T.tocsr()
    indices: list[int] = []
    for start in range(0, len(texts.texts), TEXTS_AT_ONCE):
        shared = (texts.pairs[start : start + TEXTS_AT_ONCE] @ other_pairs).tocoo()
        mine, theirs = texts.sizes[start + shared.row], others.sizes[shared.col]
        shorter = np.minimum(mine, theirs)
        whole = np.where(shorter >= MIN_PAIRS, shorter, mine + theirs - shared.data)
        indices += [start + int(row) for row in np.unique(shared.row[shared.data >= threshold * whole])]
    return indices


def contained(texts: Texts, others: Texts) -> list[int]:
    """Indices of the texts that hold one of the others whole, as a run of words, or that stand whole in one of them.

    The words' letters and digits are compared without the space between them: `doesn't` is `does n't` in a tokenised text.
    """
    mine, theirs = texts.words, others.words
    return sorted({i for i, _ in _standing_in(mine, theirs)} | {i for _, i in _standing_in(theirs, mine)})


@dataclass(frozen=True)
class _Words:
    """A text's letters and digits in a row, and where words start in it; the last entry is the text's end."""

    text: str
    starts: list[int]

    @classmethod
    def of(cls, text: str) -> "_Words":
        words = words_of(text)
        return cls("".join(words), list(accumulate(map(len, words), initial=0)))


class _ByStart:
    """Texts by their first letters, by length, and whole: looked up, not compared one by one, as hundreds may begin alike."""

    def __init__(self, texts: Sequence[_Words]) -> None:
        self.seeds: dict[str, dict[int, dict[str, list[int]]]] = {}
        for i, text in enumerate(texts):
            if len(text.starts) > MIN_WORDS:  # the text's end is an entry too
                by_length = self.seeds.setdefault(text.text[:SEED_LETTERS], {})
                by_length.setdefault(len(text.text), {}).setdefault(text.text, []).append(i)
        self.seed_lengths = {len(seed) for seed in self.seeds}

    def standing_in(self, other: _Words) -> Iterator[int]:
        """Indices of the texts that begin at one of the other's words and end with one."""
        ends = set(other.starts)
        for start in other.starts:
            for seed_length in self.seed_lengths:
                for length, whole in self.seeds.get(other.text[start : start + seed_length], {}).items():
                    if start + length in ends:
                        yield from whole.get(other.text[start : start + length], ())


def _standing_in(texts: Sequence[_Words], others: Sequence[_Words]) -> Iterator[tuple[int, int]]:
    """(i, j) where the text i of at least `MIN_WORDS` words stands whole in the other j."""
    by_start = _ByStart(texts)
    return ((i, j) for j, other in enumerate(others) for i in by_start.standing_in(other))

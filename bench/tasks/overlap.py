"""Near-duplicates between two sets of texts: what a model that has seen one of them need not answer for itself in the other."""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

THRESHOLD = 0.7
"""Jaccard similarity of the sets of word pairs from which two texts count as the same (Broder 1997, with pairs as shingles)."""
BLOCK = 2000
"""Texts compared at a time: it bounds the product of shared pairs in memory."""


def near(texts: Sequence[str], others: Sequence[str], threshold: float = THRESHOLD) -> list[int]:
    """Indices of the texts that are similar to one of the others. Case and punctuation don't count; one word has no pairs."""
    if not texts or not others:
        return []
    # Hashed, so that no vocabulary of all pairs is kept. norm and alternate_sign would make other numbers of the 0s and 1s.
    pairs = HashingVectorizer(
        ngram_range=(2, 2), token_pattern=r"\w+", n_features=2**22, binary=True, norm=None, alternate_sign=False
    )
    known = pairs.transform(others).T.tocsr()
    sizes = np.asarray(known.sum(0)).ravel()
    found: list[int] = []
    for start in range(0, len(texts), BLOCK):
        part = pairs.transform(texts[start : start + BLOCK])
        # Of 0s and 1s the product counts the pairs that two texts share.
        shared = (part @ known).tocoo()
        union = np.asarray(part.sum(1)).ravel()[shared.row] + sizes[shared.col] - shared.data
        found += [start + int(row) for row in np.unique(shared.row[shared.data >= threshold * union])]
    return found

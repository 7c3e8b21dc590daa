"""Near-duplicates against the definition: Jaccard similarity of the sets of word pairs."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.tasks import overlap, splits
from bench.tasks.overlap import THRESHOLD, near


def pairs(text):
    words = re.findall(r"\w+", text.lower())
    return set(pairwise(words))


def by_definition(texts, others, threshold=THRESHOLD):
    known = [pairs(other) for other in others]
    return [
        i
        for i, mine in enumerate(map(pairs, texts))
        if any(mine & theirs and len(mine & theirs) >= threshold * len(mine | theirs) for theirs in known)
    ]


TEXTS = st.lists(st.lists(st.sampled_from(["a", "b", "c", "d", "E.", "f,"]), max_size=9).map(" ".join), max_size=6)


@settings(deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([0.3, 0.5, 0.7, 1.0]))
def test_small_vocabularies_by_definition(texts, others, threshold):
    assert near(texts, others, threshold) == by_definition(texts, others, threshold)


def test_real_reviews_by_definition(sst2, monkeypatch):
    monkeypatch.setattr(overlap, "TEXTS_AT_ONCE", 70)  # several blocks
    loaded = splits.load_splits(sst2)
    others = [example.fields["text"] for example in loaded.test[:150]]
    texts = [example.fields["text"] for example in loaded.train[:150]]
    # Copies with a word more, a word less, and another case are near; halves are not.
    texts += [f"{other} indeed" for other in others[:20]] + [other.upper() for other in others[:20]]
    texts += [" ".join(other.split()[: len(other.split()) // 2]) for other in others[:20]]
    found = near(texts, others)
    assert found == by_definition(texts, others)
    long = [i for i, other in enumerate(others[:20]) if len(pairs(other)) > 3]
    assert {150 + i for i in long} <= set(found) and {170 + i for i in long} <= set(found)
    assert not {190 + i for i in long} & set(found)


@pytest.mark.parametrize(
    ("text", "other", "threshold", "is_near"),
    [
        ("a b c d", "a b c", 0.7, False),  # two pairs of three
        ("a b c d", "a b c", 0.66, True),
        ("a b c d e f g h i j k", "a b c d e f g h", 0.7, True),  # seven of ten
        ("a b c d e f g h i j k", "a b c d e f g h", 0.71, False),
        ("A, b. c", "a b c!", 1.0, True),
        ("a b", "b a", 0.01, False),
    ],
)
def test_thresholds_by_hand(text, other, threshold, is_near):
    assert near([text], [other], threshold) == near([other], [text], threshold) == [0] * is_near


@pytest.mark.parametrize("texts", [[], ["", "word", "!?"]])
def test_nothing_is_near_without_pairs(texts):
    assert near(texts, ["word", "two words", ""]) == [] == near(["two words"], texts)

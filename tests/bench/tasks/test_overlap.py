"""Near-duplicates and containment against their definitions on sets of word pairs and on words."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.tasks import overlap, splits
from bench.tasks.overlap import MIN_PAIRS, MIN_WORDS, THRESHOLD, Texts


def near(texts, others, threshold=THRESHOLD):
    return overlap.near(Texts(texts), Texts(others), threshold)


def contained(texts, others):
    return overlap.contained(Texts(texts), Texts(others))


def pairs(text):
    words = re.findall(r"\w+", text.lower())
    return set(pairwise(words))


def whole(mine, theirs):
    """What the shared pairs are a share of."""
    shorter = min(len(mine), len(theirs))
    return shorter if shorter >= MIN_PAIRS else len(mine | theirs)


def by_definition(texts, others, threshold=THRESHOLD):
    known = [pairs(other) for other in others]
    return [
        i
        for i, mine in enumerate(map(pairs, texts))
        if any(mine & theirs and len(mine & theirs) >= threshold * whole(mine, theirs) for theirs in known)
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
    # Copies with a word more, a word less, and another case are near; halves are where they are long.
    texts += [f"{other} indeed" for other in others[:20]] + [other.upper() for other in others[:20]]
    halves = [" ".join(other.split()[: len(other.split()) // 2]) for other in others[:20]]
    texts += halves
    found = near(texts, others)
    assert found == by_definition(texts, others)
    long = [i for i, other in enumerate(others[:20]) if len(pairs(other)) > 3]
    assert {150 + i for i in long} <= set(found) and {170 + i for i in long} <= set(found)
    assert {190 + i for i, half in enumerate(halves) if len(pairs(half)) >= MIN_PAIRS} == {i for i in found if i >= 190}


@pytest.mark.parametrize(
    ("text", "other", "threshold", "is_near"),
    [
        ("a b c d", "a b c", 0.7, False),  # two pairs of three
        ("a b c d", "a b c", 0.66, True),
        ("a b c d e f g h i j", "a b c d e f g", 0.66, True),  # six pairs of nine
        ("a b c d e f g h i j", "a b c d e f g", 0.67, False),
        ("a b c d e f g h", "x y z a b c d e f g i h", 0.85, True),  # six of the shorter one's seven
        ("a b c d e f g h", "x y z a b c d e f g i h", 0.86, False),
        ("A, b. c", "a b c!", 1.0, True),
        ("a b", "b a", 0.01, False),
    ],
)
def test_thresholds_by_hand(text, other, threshold, is_near):
    assert near([text], [other], threshold) == near([other], [text], threshold) == [0] * is_near


@pytest.mark.parametrize("texts", [[], ["", "word", "!?"]])
def test_nothing_is_near_without_pairs(texts):
    assert near(texts, ["word", "two words", ""]) == [] == near(["two words"], texts)


def words(text):
    return re.findall(r"\w+", text.lower())


def stands_in(text, other):
    needle, stack = words(text), words(other)
    return len(needle) >= MIN_WORDS and any(stack[i : i + len(needle)] == needle for i in range(len(stack)))


RUNS = st.lists(st.lists(st.sampled_from(["aaa", "bbb", "C-ccc", "ddd!"]), max_size=7).map(" ".join), max_size=6)


@settings(deadline=None)
@given(RUNS, RUNS)
def test_containment_by_definition_in_either_direction(texts, others):
    expected = [i for i, text in enumerate(texts) if any(stands_in(text, o) or stands_in(o, text) for o in others)]
    assert contained(texts, others) == expected


@settings(deadline=None)
@given(st.text("ab '", max_size=14), st.text("ab '", max_size=14))
def test_space_between_letters_does_not_count_and_borders_of_words_do(text, other):
    needle, stack = "".join(words(text)), "".join(words(other))
    starts = {0} | {len("".join(words(other)[:k])) for k in range(len(words(other)) + 1)}
    held = any(stack.startswith(needle, start) and start + len(needle) in starts for start in starts)
    assert (contained([text], [other]) == [0]) >= (held and len(words(text)) >= MIN_WORDS)
    assert held or (contained([text], [other]) == []) or len(needle) > len(stack)

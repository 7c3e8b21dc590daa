import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.tokens.augmentation import dropper


@given(st.floats(0, 0.99), st.lists(st.integers(0, 9), min_size=1, max_size=3), st.integers(1, 60))
def test_some_words_stay_in_their_order(share, seed, count):
    kept = dropper(share, *seed)(["w"] * count)
    assert kept == sorted(set(kept)) and 1 <= len(kept) <= count and set(kept) <= set(range(count))
    assert kept == dropper(share, *seed)([f"{i}" for i in range(count)])  # a function of the seed and the number of words
    if share == 0:
        assert len(kept) == count


def test_each_word_goes_with_its_probability():
    counts = np.zeros(40)
    for seed in range(2000):
        counts[dropper(0.3, seed)(["w"] * 40)] += 1
    # A standard error of 0.01 for each word.
    assert np.all(np.abs(counts / 2000 - 0.7) < 0.05) and abs(counts.mean() / 2000 - 0.7) < 0.005


def test_seeds_differ():
    words = ["w"] * 50
    assert len({tuple(dropper(0.5, *seed)(words)) for seed in ((0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, 2))}) == 4


def test_the_likeliest_word_stays_where_all_would_go():
    found = {dropper(0.999, seed)(["a", "b", "c"])[0] for seed in range(50)}
    assert found == {0, 1, 2}

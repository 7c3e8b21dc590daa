from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench import batches
from bench.encoding import Encoded

lengths = st.lists(st.integers(1, 200), min_size=1, max_size=60)


@given(lengths, st.integers(1, 1000))
def test_batches_hold_every_item_once_and_keep_the_bound(lengths, tokens):
    cut = batches.by_length(lengths, tokens)
    assert sorted(index for batch in cut for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= tokens for batch in cut)


def brute_force(lengths, tokens):
    """Cheapest way to cut the sorted lengths, over all 2^(n-1) ways."""
    ranked, best = sorted(lengths, reverse=True), float("inf")
    for mask in range(2 ** (len(ranked) - 1)):
        groups, current = [], [ranked[0]]
        for i, length in enumerate(ranked[1:]):
            if mask >> i & 1:
                groups.append(current)
                current = []
            current.append(length)
        groups.append(current)
        if all(len(g) == 1 or g[0] * len(g) <= tokens for g in groups):
            best = min(best, sum(g[0] * len(g) + batches.PASS_TOKENS for g in groups))
    return best


@given(st.lists(st.integers(1, 200), min_size=1, max_size=8), st.integers(50, 1000))
def test_the_cut_is_the_cheapest_one(lengths, tokens):
    cut = batches.by_length(lengths, tokens)
    cost = sum(max(lengths[i] for i in batch) * len(batch) + batches.PASS_TOKENS for batch in cut)
    assert cost == brute_force(lengths, tokens)


@given(st.integers(0, 5), st.integers(1, 50), st.integers(1, 3))
def test_each_epoch_is_another_permutation_of_everything(seed, size, epochs):
    drawn = list(islice(batches.order(seed, size), size * epochs))
    for epoch in range(epochs):
        assert sorted(drawn[epoch * size : (epoch + 1) * size]) == list(range(size))
    assert drawn == list(islice(batches.order(seed, size), size * epochs))


def test_seeds_and_epochs_differ():
    first = list(islice(batches.order(0, 100), 200))
    assert first[:100] != first[100:]
    assert first[:100] != list(islice(batches.order(1, 100), 100))


@given(st.integers(0, 9), st.lists(st.floats(0.05, 1), min_size=1, max_size=5), st.integers(1, 400))
def test_a_mixture_gives_each_component_its_share(seed, shares, length):
    counts = np.bincount(batches.mixture(seed, shares, length), minlength=len(shares))
    assert counts.sum() == length
    assert np.all(np.abs(counts - np.array(shares) / sum(shares) * length) <= 1)


@given(lengths, st.integers(1, 4), st.integers(50, 500))
def test_processes_share_a_step_without_gap_or_overlap_and_in_step(lengths, world, tokens):
    step = [Encoded(tuple(range(length)), answer=1, label=number) for number, length in enumerate(lengths)]
    parts = [batches.micro_batches(step, tokens, rank, world) for rank in range(world)]
    assert len({len(part) for part in parts}) == 1
    found = [encoded.label for part in parts for batch in part for encoded in batch]
    assert sorted(found) == list(range(len(step)))

from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tokens import batches

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


def in_batches(drawn, batch):
    return [drawn[start : start + batch] for start in range(0, len(drawn), batch)]


@given(st.integers(0, 5), st.lists(st.integers(1, 99), min_size=1, max_size=70), st.integers(1, 8), st.integers(1, 5))
def test_the_order_by_length_holds_what_the_shuffle_holds(seed, lengths, batch, epochs):
    """Each epoch everything once; each group of batches what the shuffle has there."""
    size = len(lengths)
    drawn = list(islice(batches.order_by_length(seed, size, lengths.__getitem__, batch), size * epochs))
    plain = list(islice(batches.order(seed, size), size * epochs))
    for epoch in range(epochs):
        own = slice(epoch * size, (epoch + 1) * size)
        assert sorted(drawn[own]) == list(range(size))
    assert drawn == list(islice(batches.order_by_length(seed, size, lengths.__getitem__, batch), size * epochs))
    for start in range(0, size * epochs - batch + 1, batch):
        inside = {position // size for position in range(start, start + batch)}
        if len(inside) > 1:  # two epochs share it: left as it was drawn
            assert drawn[start : start + batch] == plain[start : start + batch]


def test_batches_of_a_group_are_neighbours_in_length():
    """By hand: sorted, each group is cut where its batches begin; no batch reaches into another's lengths."""
    lengths, batch = np.random.default_rng(0).integers(1, 500, 1000).tolist(), 4
    drawn = list(islice(batches.order_by_length(3, 1000, lengths.__getitem__, batch), 1000))
    plain = list(islice(batches.order(3, 1000), 1000))
    for start in range(0, 1000, batches.GROUP * batch):
        stretch = slice(start, start + batches.GROUP * batch)
        assert sorted(drawn[stretch]) == sorted(plain[stretch])
        cut = [[lengths[i] for i in part] for part in in_batches(drawn[stretch], batch)]
        ranked = sorted(cut, key=lambda part: (part[0], part[-1]))
        assert [value for part in ranked for value in part] == sorted(lengths[i] for i in plain[stretch])
        assert cut != ranked  # and the batches don't come in the order of their length


def test_batches_begin_at_the_steps_of_later_epochs_too():
    """Ten examples in batches of four: the third is half of one epoch and half of the next."""
    lengths = [5, 3, 8, 1, 9, 2, 7, 6, 4, 10]
    drawn = list(islice(batches.order_by_length(0, 10, lengths.__getitem__, 4), 20))
    parts = [sorted(lengths[i] for i in part) for part in in_batches(drawn, 4)]
    assert len(parts) == 5
    for first, second in ((0, 1), (3, 4)):
        assert max(parts[first]) < min(parts[second]) or max(parts[second]) < min(parts[first])


@given(st.integers(0, 9), st.lists(st.floats(0.05, 1), min_size=1, max_size=5), st.integers(1, 400))
def test_a_mixture_gives_each_component_its_share(seed, shares, length):
    drawn = batches.mixture(seed, lambda progress: shares, length)
    counts = np.bincount(drawn, minlength=len(shares))
    assert counts.sum() == length
    assert np.all(np.abs(counts - np.array(shares) / sum(shares) * length) < 1)
    assert drawn == batches.mixture(seed, lambda progress: shares, length)


@st.composite
def moving(draw):
    """Shares that go straight from one mixture to another."""
    size = draw(st.integers(1, 5))
    weights = st.lists(st.floats(0, 1), min_size=size, max_size=size).filter(lambda values: sum(values) > 0.05)
    start, end = (np.array(draw(weights)) for _ in range(2))
    start, end = start / start.sum(), end / end.sum()
    return lambda progress: list(start + (end - start) * progress)


@given(st.integers(0, 9), moving(), st.integers(0, 400))
def test_a_moving_mixture_gives_each_component_what_is_due_by_the_end_of_each_phase(seed, shares, length):
    drawn = batches.mixture(seed, shares, length)
    assert len(drawn) == length
    phases = batches.PHASES if shares(0.0) != shares(1.0) else 1
    edges = np.round(np.linspace(0, length, phases + 1)).astype(int)
    due = np.zeros(len(shares(0.0)))
    for phase, (start, end) in enumerate(pairwise(edges)):
        due += np.array(shares((phase + 0.5) / phases)) * (end - start)
        counts = np.bincount(drawn[:end], minlength=len(due))
        # A component can't give back what rounding gave it before its share fell to nothing.
        assert np.all(np.abs(counts - due) < 2), (phase, counts, due)


def test_a_moving_mixture_by_hand():
    drawn = batches.mixture(0, lambda progress: [progress, 1 - progress], 320)
    thirds = [np.bincount(drawn[start : start + 20], minlength=2).tolist() for start in range(0, 320, 20)]
    # (phase + 1/2) / 16 of 20 examples, carried over in whole numbers: 0.625, 1.875, 3.125 ... add up to 160 of 320.
    assert np.cumsum(thirds, axis=0)[:, 0] == pytest.approx(np.cumsum((np.arange(16) + 0.5) / 16 * 20), abs=0.5)
    assert np.bincount(drawn).tolist() == [160, 160]
    assert thirds[0][0] <= 1 and thirds[-1][0] >= 19


@given(lengths, st.integers(50, 1000), st.integers(1, 9))
def test_batches_of_at_most_so_many_rows(lengths, tokens, rows):
    cut = batches.by_length(lengths, tokens, rows)
    assert sorted(index for batch in cut for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= tokens for batch in cut)
    assert max(map(len, cut)) <= rows

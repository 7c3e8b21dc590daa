"""Which example comes when, and how a step's examples are cut into padded batches.

The order is a pure function of (seed, position): worker, world size and restart do not enter.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from bench.encoding import Encoded


def order(seed: int, size: int) -> Iterator[int]:
    """Indices into `size` examples without end: each epoch a new permutation, drawn from (seed, epoch)."""
    epoch = 0
    while True:
        yield from (int(i) for i in np.random.default_rng([seed, epoch]).permutation(size))
        epoch += 1


def mixture(seed: int, shares: Sequence[float], length: int) -> list[int]:
    """For each of `length` positions the component it is drawn from; every component gets its share, rounded."""
    cumulative = np.cumsum(shares) / np.sum(shares)
    counts = np.diff(np.round(cumulative * length).astype(int), prepend=0)
    components = np.repeat(np.arange(len(shares)), counts)
    return [int(i) for i in np.random.default_rng([seed, 2**31]).permutation(components)]


PASS_TOKENS = 96
"""What one more forward pass costs, in padded tokens: small matrices, and gradients added to those of the last pass."""


def by_length(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Indices cut into batches of similar length, none above `tokens` padded tokens unless a single item is.

    Longest first; the cuts are those that minimise padded tokens plus `PASS_TOKENS` a batch (dynamic programming over the
    sorted lengths).
    """
    ranked = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    cost, cut = [0.0], [0]
    for end in range(1, len(ranked) + 1):
        best, start = float("inf"), end - 1
        for first in range(end - 1, -1, -1):
            padded = lengths[ranked[first]] * (end - first)
            if padded > tokens and first < end - 1:
                break
            if cost[first] + padded + PASS_TOKENS < best:
                best, start = cost[first] + padded + PASS_TOKENS, first
        cost.append(best)
        cut.append(start)
    batches: list[list[int]] = []
    end = len(ranked)
    while end:
        batches.append(ranked[cut[end] : end])
        end = cut[end]
    return batches[::-1]


def micro_batches(step: Sequence[Encoded], tokens: int, rank: int, world: int) -> list[list[Encoded]]:
    """This process's part of one step's global batch, as batches of similar length.

    Every process gets the same number of batches, as sharded models need; one without an example gets an empty list.
    """
    lengths = [len(encoded.ids) for encoded in step]
    shared = by_length(lengths, tokens * world)
    return [[step[index] for index in batch[rank::world]] for batch in shared]

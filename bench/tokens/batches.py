"""Which example comes when, and how texts are cut into padded batches of similar length.

The order is a pure function of (seed, epoch, position): worker, world size and restart do not enter.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import numpy as np
import numpy.typing as npt
import torch

from bench.tokens.encoded import Batch, Encoded, collate


def order(seed: int, size: int) -> Iterator[int]:
    """Indices into `size` examples without end: each epoch a new permutation, drawn from (seed, epoch)."""
    for epoch in count():
        yield from _generator(seed, epoch).permutation(size).tolist()


def _generator(seed: int, epoch: int) -> np.random.Generator:
    # Both as a list: with seed + epoch, the second epoch of seed 0 would be the first of seed 1.
    return np.random.default_rng([seed, epoch])


GROUP = 50
"""Batches that are sorted by length together: of 50, two per cent of SST-2's tokens are padding; of 10, ten per cent."""


def order_by_length(seed: int, size: int, length: Callable[[int], int], batch: int) -> Iterator[int]:
    """The epochs of `order`, in batches of like length (Khomenko et al. 2016): each `GROUP` batches of a permutation are
    sorted by length and cut into batches anew, and these batches come in an order of chance.

    A batch that two epochs share, and the rest of an epoch that fills none, stays as it was drawn, so that batches begin at
    the multiples of `batch` throughout.
    """
    for epoch in count():
        generator = _generator(seed, epoch)
        drawn: list[int] = generator.permutation(size).tolist()
        begun = min(-epoch * size % batch, size)  # what the last epoch's rest still lacks
        rest = size - (size - begun) % batch
        yield from drawn[:begun]
        for start in range(begun, rest, GROUP * batch):
            # Stable: among equals chance decides, as in the permutation.
            ranked = sorted(drawn[start : min(start + GROUP * batch, rest)], key=length)
            for number in generator.permutation(len(ranked) // batch):
                yield from ranked[number * batch : (number + 1) * batch]
        yield from drawn[rest:]


PHASES = 16
"""Stretches of a budget within which a mixture stays the same."""


def mixture(seed: int, shares: Callable[[float], Sequence[float]], length: int) -> list[int]:
    """For each of `length` positions the component it is drawn from.

    `shares` gives the components' shares at a progress in [0, 1]; up to any phase's end each component has had its share,
    rounded. Shares that never change make one phase.
    """
    phases = PHASES if list(shares(0.0)) != list(shares(1.0)) else 1
    edges = np.round(np.linspace(0, length, phases + 1)).astype(int)
    mixer = Mixer(seed)
    drawn: list[int] = []
    for phase, size in enumerate(np.diff(edges)):
        # In the middle of a phase: of shares that move in a straight line it is the phase's mean.
        drawn += mixer.draw(shares((phase + 0.5) / phases), int(size))
    return drawn


class Mixer:
    """Draws components a stretch at a time; at the end of each, every component has had its share of all, rounded."""

    def __init__(self, seed: int) -> None:
        # No epoch of `order` comes that far, so that the streams stay apart.
        self._generator = np.random.default_rng([seed, 2**31])
        self._due: npt.NDArray[np.float64] = np.zeros(1)
        self._given: npt.NDArray[np.int64] = np.zeros(1, dtype=np.int64)

    def draw(self, shares: Sequence[float], size: int) -> list[int]:
        """The components of the next `size` positions, in an order of chance."""
        rates = np.asarray(shares)
        self._due = self._due + rates / rates.sum() * size
        counts = _whole_counts(self._due - self._given, size)
        self._given = self._given + counts
        return [int(i) for i in self._generator.permutation(np.repeat(np.arange(len(rates)), counts))]


def _whole_counts(need: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.int64]:
    """Whole numbers close to `need` that sum to `size`: the largest remainders are rounded up."""
    # Negative where a share has fallen to nothing and rounding had given its component too much.
    counts = np.floor(np.maximum(need, 0)).astype(np.int64)
    for i in np.argsort(counts - need, kind="stable")[: max(0, size - counts.sum())]:
        counts[i] += 1
    while counts.sum() > size:  # a component that has had more than its due has left the others less
        counts[counts.argmax()] -= 1
    return counts


PASS_TOKENS = 96
"""What one more forward pass costs, in padded tokens: small matrices, and gradients added to those of the last pass."""


def by_length(
    lengths: Sequence[int], tokens: int, rows: int | None = None, world: int = 1, each: int = PASS_TOKENS
) -> list[list[int]]:
    """Indices cut into batches of similar length, none above `tokens` padded tokens unless a single item is, nor of more than
    `rows` items. Where a batch is dealt out to `world` processes in turn, that is true of what each of them gets.

    Longest first; the cuts are those that minimise padded tokens plus `each` for each batch (dynamic programming over the
    sorted lengths).
    """
    # Longest first, so that a batch which memory cannot hold fails at once; equal lengths in their given order, so that all
    # processes cut alike.
    ranked = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    cost, cut = [0.0], [0]
    for end in range(1, len(ranked) + 1):
        best, start = float("inf"), end - 1
        for first in range(end - 1, -1, -1):
            padded = lengths[ranked[first]] * (end - first)
            mine = -(-(end - first) // world)  # of the process that gets the most
            if mine > 1 and (lengths[ranked[first]] * mine > tokens or (rows and mine > rows)):
                break  # going on makes it only larger: items further ahead are longer
            if cost[first] + padded + each < best:
                best, start = cost[first] + padded + each, first
        cost.append(best)
        cut.append(start)
    batches: list[list[int]] = []
    end = len(ranked)
    while end:
        batches.append(ranked[cut[end] : end])
        end = cut[end]
    return batches[::-1]


def padded(encoded: Sequence[Encoded], pad: int, tokens: int, device: torch.device) -> Iterator[tuple[list[int], Batch]]:
    """All of `encoded` as tensors of similar length, each with the indices of its rows."""
    for indices in by_length([each.size for each in encoded], tokens):
        yield indices, collate([encoded[i] for i in indices], pad, device)

"""Beginnings that sequences of token ids have in common, as a tree: a model need read each of them only once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from bench.tokens.batches import PASS_TOKENS

LEVEL_TOKENS = 2 * PASS_TOKENS
"""What one more level of the tree costs, in tokens: a pass that reads the beginnings, and one more cut of what follows."""
ROW_TOKENS = 1
"""What each sequence costs that goes on from a beginning: its keys and values are put before the sequence's own."""
APART_TOKENS = 4
"""The same where others go on from somewhere else: batches of similar length are then cut from fewer sequences."""


@dataclass(frozen=True)
class Branch:
    """Sequences with a beginning in common, which is all that is read so far."""

    ids: tuple[int, ...]
    leaves: list[int] = field(default_factory=list)
    """Numbers of the sequences that go on from here, each for itself."""
    branches: list["Branch"] = field(default_factory=list)
    """Those that have more in common."""

    @property
    def all_leaves(self) -> list[int]:
        """Numbers of all sequences that begin so."""
        return sorted([*self.leaves, *(number for branch in self.branches for number in branch.all_leaves)])


def root(sequences: Sequence[tuple[int, ...]], limits: Sequence[int], sharing: bool = True) -> Branch:
    """The branch of all sequences, at which nothing is read. Of each sequence at most `limits` tokens are shared; without
    `sharing` none are.

    A beginning is shared where that saves more than each sequence costs, and it and its neighbours save more than another level
    costs. What these costs are was seen in the batches of the suites' own tasks and probes.
    """
    if not sharing:
        return Branch((), list(range(len(sequences))))
    beginnings = [sequence[:limit] for sequence, limit in zip(sequences, limits, strict=True)]
    return _grown_branch(beginnings, sorted(range(len(sequences)), key=beginnings.__getitem__), 0)[0]


def _grown_branch(beginnings: Sequence[tuple[int, ...]], members: Sequence[int], read: int) -> tuple[Branch, int]:
    """The branch of `members`, numbers in the order of their beginnings, which agree in their first `read` tokens; and how many
    tokens all below it saves."""
    leaves: list[int] = []
    branches: list[tuple[Branch, int]] = []
    shared: list[int] = []
    groups = [(members, read)]
    while groups:
        group, depth = groups.pop()
        # One token further: those that go on alike stay together.
        for _, part in groupby(group, key=lambda number: beginnings[number][depth : depth + 1]):
            alike = list(part)
            common = _common_tokens(beginnings[alike[0]], beginnings[alike[-1]])
            cost = ROW_TOKENS if len(alike) == len(members) else APART_TOKENS
            saved = (common - read) * (len(alike) - 1) - cost * len(alike)
            if len(alike) == 1 or common == depth:  # nothing more is shared
                leaves += alike
            elif saved > 0:
                branch, below = _grown_branch(beginnings, alike, common)
                branches.append((branch, saved + below))
                shared += alike
            else:
                groups.append((alike, common))
    ids, total = beginnings[members[0]][:read] if members else (), sum(saved for _, saved in branches)
    if total <= LEVEL_TOKENS:
        return Branch(ids, sorted(leaves + shared)), 0
    return Branch(ids, sorted(leaves), [branch for branch, _ in branches]), total - LEVEL_TOKENS


def _common_tokens(first: Sequence[int], last: Sequence[int]) -> int:
    """How many tokens the first and the last of sorted sequences begin with alike, and so do all between them."""
    shorter = min(len(first), len(last))
    return next((place for place in range(shorter) if first[place] != last[place]), shorter)

"""Which items a limited set has: one fixed order of all, whose every beginning is a fair sample.

A set of the first N items is whatever the file began with: seven films, say. Here the labels keep their shares, and so does
each cluster (a film, a title, a story), as far as N items can show it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")

SEED = 0
"""The same for all rows, strategies, seeds of training and machines: they are compared on the same items."""


def sample(
    items: Sequence[Item], limit: int | None, labels: Sequence[Hashable], clusters: Sequence[Hashable | None]
) -> list[Item]:
    """At most `limit` of the items; a larger limit keeps all of a smaller one's. Without a limit, all in their own order.

    `labels` and `clusters` have an entry for each item; None is no cluster.
    """
    if limit is None:
        return list(items)
    return [items[place] for place in fair_order(labels, clusters)[:limit]]


def turns_of_labels(labels: Sequence[Hashable]) -> list[int]:
    """Of each item, how many of its label stand before it.

    What is dealt out by these turns goes with no label. By place it might: a fair order of two labels has each at every second
    place, and of four instructions dealt out in turn two would be for one label.
    """
    seen: Counter[Hashable] = Counter()
    turns = []
    for label in labels:
        turns.append(seen[label])
        seen[label] += 1
    return turns


def fair_order(labels: Sequence[Hashable], clusters: Sequence[Hashable | None]) -> list[int]:
    """All places in an order whose first N hold of each label, and within it of each cluster, about as many as its share asks
    for, of few labels within an item: systematic sampling with random starts (Madow & Madow 1944).

    So an item of a small cluster is as likely to be among the first N as one of a big cluster, which crowds out no others.
    """
    random = np.random.default_rng(SEED)
    shuffled = random.permutation(len(labels)).tolist()
    # An item without a cluster is one of its own; the pair is no name of another cluster.
    own = [("item", place) if cluster is None else ("cluster", cluster) for place, cluster in enumerate(clusters)]
    within = _in_shares(shuffled, lambda place: (labels[place], own[place]), random)
    return _in_shares(within, lambda place: labels[place], random)


def _in_shares(places: Sequence[int], group: Callable[[int], Hashable], random: np.random.Generator) -> list[int]:
    """The places in an order that takes from each group at a steady rate, and within a group in the order that they had."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for place in places:
        members[group(place)].append(place)
    starts = random.random(len(members))
    due = {
        place: (start + turn) / len(part)
        for start, part in zip(starts, members.values(), strict=True)
        for turn, place in enumerate(part)
    }
    return sorted(places, key=due.__getitem__)

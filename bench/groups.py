"""Values that share something, put together."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Grouped = TypeVar("Grouped")
GroupKey = TypeVar("GroupKey", bound=Hashable)


def groups_by(values: Iterable[Grouped], key: Callable[[Grouped], GroupKey]) -> dict[GroupKey, list[Grouped]]:
    """Key -> the values that have it. Keys and values stay in the order in which they came, and need not be sorted."""
    groups: dict[GroupKey, list[Grouped]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return groups

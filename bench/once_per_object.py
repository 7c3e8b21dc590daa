"""A function of an object that never changes, worked out once for each, however often a plan of many runs asks."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

OBJECTS = 2048
"""Of each function, the last ones that it was asked about. A run of a suite looks at 1,840 examples, to sort them by length."""

K = TypeVar("K")
V = TypeVar("V")


def once_per_object(function: Callable[[K], V]) -> Callable[[K], V]:
    """The function with what it gave kept by its argument's identity: specs hold lists and dicts, and have no hash.

    What it gives is shared by all who ask, and must not be changed either.
    """
    known: OrderedDict[int, tuple[K, V]] = OrderedDict()

    @wraps(function)
    def remembered(of: K) -> V:
        if id(of) not in known:
            known[id(of)] = of, function(of)  # the object too, so that no other gets its identity
            if len(known) > OBJECTS:
                known.popitem(last=False)
        return known[id(of)][1]

    return remembered

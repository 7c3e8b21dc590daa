"""A function of an object that never changes, worked out once for each, however often a plan of many runs asks."""

from collections import OrderedDict
from collections.abc import Callable
from functools import update_wrapper
from typing import Generic, TypeVar

OBJECTS = 2048
"""Of each function, the last ones that it was asked about. A run of a suite looks at 1,840 examples, to sort them by length."""

K = TypeVar("K")
V = TypeVar("V")


class once_per_object(Generic[K, V]):  # noqa: N801 (it is written as a function's decorator)
    """The function with what it gave kept by its argument's identity: specs hold lists and dicts, and have no hash.

    What it gives is shared by all who ask, and must not be changed either.
    """

    def __init__(self, function: Callable[[K], V]) -> None:
        self._function, self._known = function, OrderedDict[int, tuple[K, V]]()
        update_wrapper(self, function)

    def __call__(self, of: K) -> V:
        if id(of) not in self._known:
            self._known[id(of)] = of, self._function(of)  # the object too, so that no other gets its identity
            if len(self._known) > OBJECTS:
                self._known.popitem(last=False)
        return self._known[id(of)][1]

    def forget(self) -> None:
        """Have it worked out anew for whatever is asked next: of files that may have changed meanwhile."""
        self._known.clear()

"""Garbage is looked for where a process makes some: among what its runs have made, and not among what it imports and plans."""

import gc
from functools import cache

BY_DEFAULT = gc.get_threshold()
SELDOM = (50_000, 10, 10)
"""So that imports and a plan, which make 600,000 objects that stay, are looked at once and not a dozen times."""


def look_rarely() -> None:
    """From the start of a process on: nearly all that it makes before its first run stays."""
    gc.set_threshold(*SELDOM)


@cache
def set_lasting_objects_aside() -> None:
    """Leave modules, plans and data out of later looks, each of which would take 0.3 s, and a run makes three. Once in a
    process, while it has no model yet, since what is set aside is freed by counts of references alone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*BY_DEFAULT)

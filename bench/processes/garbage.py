"""Garbage is looked for among what runs have made, and not among all that a process had before its first."""

import gc
from functools import cache


@cache
def set_lasting_objects_aside() -> None:
    """Leave modules, plans and data out of later looks: of 600,000 objects each takes 0.3 s, and a run makes three. Once in a
    process, while it has no model yet, since what is set aside is freed by counts of references alone."""
    gc.collect()
    gc.freeze()

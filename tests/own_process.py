"""A process of its own for what changes libraries for all that comes after it."""

from multiprocessing import get_context


def in_a_new_process(asked, *args):
    """What `asked` gives there; both can be pickled."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(asked, args)

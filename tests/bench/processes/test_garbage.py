"""What lasts is looked at once, and what comes after it is still found where it is garbage."""

import gc
import weakref

import pytest

from bench.processes.garbage import set_lasting_objects_aside


class Node:
    """Of a circle, which counts of references alone never free."""

    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def nothing_set_aside():
    """As in a new process; other tests may have set all aside before."""
    gc.unfreeze()
    set_lasting_objects_aside.cache_clear()
    yield
    gc.unfreeze()


def test_what_is_there_is_looked_at_no_more_and_what_comes_is():
    lasting = [Node() for _ in range(1000)]
    set_lasting_objects_aside()
    assert gc.get_freeze_count() >= 1000 and not any(each is lasting[0] for each in gc.get_objects())
    gone = weakref.ref(Node())
    gc.collect()
    assert gone() is None


def test_garbage_is_not_set_aside():
    gone = weakref.ref(Node())
    set_lasting_objects_aside()
    assert gone() is None


def test_a_second_run_sets_nothing_aside():
    set_lasting_objects_aside()
    later = Node()
    set_lasting_objects_aside()
    gone = weakref.ref(later)
    del later
    gc.collect()
    assert gone() is None

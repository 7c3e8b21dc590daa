"""What lasts is looked at once, and what comes after it is still found where it is garbage."""

import gc
import weakref

import pytest

from bench.processes.garbage import BY_DEFAULT, look_rarely, set_lasting_objects_aside


class Node:
    """Of a circle, which counts of references alone never free."""

    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def nothing_set_aside():
    """As in a new process; other tests may have set all aside before."""
    before = gc.get_threshold()
    gc.unfreeze()
    set_lasting_objects_aside.cache_clear()
    yield
    gc.unfreeze()
    set_lasting_objects_aside.cache_clear()
    gc.set_threshold(*before)


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


def looks(made):
    """How often all objects are looked at while some are made that stay."""
    before = gc.get_stats()[2]["collections"]
    kept = [Node() for _ in range(made)]
    return gc.get_stats()[2]["collections"] - before, kept


def test_what_is_made_before_the_first_run_is_looked_at_rarely_and_what_runs_make_as_ever():
    look_rarely()
    assert looks(400_000)[0] == 0
    set_lasting_objects_aside()
    assert gc.get_threshold() == BY_DEFAULT

"""Jobs are handed out in order, once, to whoever has room for them."""

import pytest

from bench.leases.lease import Leases
from bench.leases.owner import Owner
from bench.leases.queue import HALVINGS, TRIES, Queue


@pytest.fixture
def leases(tmp_path):
    def made(name: str) -> Leases:
        leases = Leases(tmp_path, Owner(name, name, f"machine of {name}", 1, 0.0))
        leases.folder.mkdir(exist_ok=True)
        leases.heart.beat()
        return leases

    return made


def taken(queue: Queue) -> str | None:
    lease = queue.take()
    return lease.what if lease else None


def test_in_order_and_each_once(leases):
    queue = Queue(["a", "b", "c"], leases("x"))
    assert [taken(queue) for _ in range(4)] == ["a", "b", "c", None] and not queue.waiting


def test_two_queues_share(leases):
    a, b = Queue(["1", "2", "3"], leases("a")), Queue(["1", "2", "3"], leases("b"))
    first, second, third = a.take(), b.take(), a.take()
    assert [lease.what for lease in (first, second, third)] == ["1", "2", "3"]
    assert b.take() is None and b.waiting == ["1", "3"], "they are being done, and may come back"
    assert first.end() and third.give_back()
    assert taken(b) == "3" and b.take() is None and not b.waiting


def test_what_another_has_tried_meanwhile_is_not_tried_again_and_what_was_tried_before_is(leases):
    old = leases("old").claim("a")
    assert old.end()  # a failed run of last week
    queue, other = Queue(["a"], leases("x")), Queue(["a"], leases("y"))
    lease = other.take()
    assert lease.number == 2 and lease.end()
    assert queue.take() is None and not queue.waiting


def test_what_was_done_and_not_put_in_place_is_put_there_by_who_finds_it(leases, monkeypatch):
    """The other is stopped, or its disk slow, between its word that it is done and its files: its run would have no record."""
    mine, theirs = leases("x"), leases("y")
    queue = Queue(["a"], mine)
    lease = theirs.claim("a")
    monkeypatch.setattr(theirs, "publish", lambda *_: None)
    assert lease.put(
        lambda folder: (folder / "records").mkdir(parents=True) or (folder / "records" / "a.json").write_text("{}")
    )
    assert not (mine.out / "records" / "a.json").exists()
    assert queue.take() is None and not queue.waiting and (mine.out / "records" / "a.json").read_text() == "{}"


def test_what_is_finished_needs_nobody(leases):
    queue = Queue(["a", "b"], leases("x"), finished=lambda name: name == "a")
    assert taken(queue) == "b" and not queue.waiting


def test_an_end_between_the_look_and_the_lease_counts(leases, monkeypatch):
    x, y = leases("x"), leases("y")
    queue, claim = Queue(["a"], x), x.claim

    def late(what, number):
        assert y.claim(what).end()
        return claim(what, number)

    monkeypatch.setattr(x, "claim", late)
    assert queue.take() is None and not queue.waiting and x.attempts() == {"a": (2, True)}


def test_a_job_whose_worker_is_lost_comes_first_and_not_for_ever(leases):
    queue = Queue(["a", "b"], leases("x"))
    for attempt in range(1, TRIES + 1):
        lease = queue.take()
        assert lease.what == "a"
        assert queue.lost(lease) == (attempt < TRIES)
    assert taken(queue) == "b" and not queue.waiting
    assert lease.end(), "who is told that it is too often still has the lease, to leave the reason"


def test_a_job_that_goes_on_smaller_comes_first_and_not_for_ever(leases):
    queue = Queue(["a", "b"], leases("x"))
    for attempt in range(1, HALVINGS + 2):
        lease = queue.take()
        assert lease.what == "a" and queue.broken_off(lease) == (attempt <= HALVINGS)
    assert taken(queue) == "b" and not queue.waiting
    assert lease.end(), "who is told that it is too often still has the lease, to leave the reason"


def test_the_longest_first_but_for_what_was_put_back(leases):
    queue = Queue(["a", "b", "c", "d"], leases("x"))
    lease = queue.take()
    assert lease.what == "a" and queue.lost(lease)
    queue.arrange({"a": 1.0, "b": 2.0, "c": 4.0, "d": 3.0}.__getitem__)
    assert [taken(queue) for _ in range(4)] == ["a", "c", "d", "b"]


def test_a_job_that_was_done_in_vain_waits_for_who_has_it(leases):
    x, y = Queue(["a"], leases("x")), leases("y")
    lease = x.take()
    y.ended("a", 1, "revoked")
    other = y.claim("a")
    assert not lease.end()
    x.put_back("a")
    assert x.take() is None and x.waiting
    assert other.end() and x.take() is None and not x.waiting

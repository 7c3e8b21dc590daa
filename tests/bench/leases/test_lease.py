"""A lease is one owner's at a time, and an owner that has lost it puts nothing in place."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.leases import lease as module
from bench.leases.lease import Leases
from bench.leases.owner import LOOK, PATIENCE, Owner


class Sites:
    """Owners on machines of their own, whose clocks show other times."""

    def __init__(self, out: Path) -> None:
        self.out, self.now = out, 0.0

    def leases(self, name: str, skew: float = 0.0) -> Leases:
        made = Leases(self.out, Owner(name, name, f"machine of {name}", 1, 0.0), lambda: self.now + skew)
        made.folder.mkdir(parents=True, exist_ok=True)
        made.heart.beat()
        return made


@pytest.fixture
def sites(tmp_path):
    return Sites(tmp_path)


def writes(text: str):
    def write(folder: Path) -> None:
        (folder / "records").mkdir(parents=True)
        (folder / "records" / "r.parquet").write_text(f"items of {text}")
        (folder / "records" / "r.json").write_text(text)

    return write


def stands(out: Path) -> tuple[str, str]:
    return (out / "records" / "r.json").read_text(), (out / "records" / "r.parquet").read_text()


def test_one_of_many_gets_it(sites):
    owners = [sites.leases(f"owner{number}") for number in range(8)]
    jobs = [f"run{number}" for number in range(25)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda owner: [owner.claim(job) for job in jobs], owners))
    for got in zip(*found, strict=True):
        assert sum(lease is not None for lease in got) == 1


def test_what_is_put_in_place_stands_there_and_is_told(sites):
    a, b = sites.leases("a"), sites.leases("b", skew=1e9)
    lease = a.claim("r")
    assert b.claim("r") is None and b.attempts() == {"r": (1, False)}
    assert lease.put(writes("a"))
    assert stands(sites.out) == ("a", "items of a")
    assert b.attempts() == {"r": (1, True)} and b.tried("r", [1]) and not b.tried("r", [])
    assert sorted(path.name for path in (sites.out / "leases").iterdir()) == ["a.heart", "b.heart", "r.1", "r.1.end"]


def test_who_claims_between_two_looks_of_another_keeps_it(sites, monkeypatch):
    a, b = sites.leases("a"), sites.leases("b")
    read, got = b._read, []

    def late(name):
        found = read(name)
        if name == "r.1" and not got:
            got.append(a.claim("r"))
        return found

    monkeypatch.setattr(b, "_read", late)
    assert b.claim("r") is None and got[0].put(writes("a"))


def test_a_run_is_busy_while_its_owner_is_there(sites):
    a, b = sites.leases("a"), sites.leases("b")
    assert not a.busy("r")
    lease = a.claim("r")
    assert a.busy("r") and b.busy("r") and not b.busy("other")
    lease.put(writes("a"))
    assert not a.busy("r") and not b.busy("r")


def test_an_attempt_ends_once(sites):
    a = sites.leases("a")
    lease = a.claim("r")
    assert lease.give_back() and not lease.end() and not lease.put(writes("a"))
    assert not (sites.out / "records").exists()
    again = a.claim("r")
    assert again.number == 2 and again.end() and a.tried("r", [1, 2]) and not a.tried("r", [1])


def test_skewed_clocks_take_nothing_from_an_owner_that_beats(sites):
    a, ahead, behind = sites.leases("a"), sites.leases("b", skew=1e6), sites.leases("c", skew=-1e6)
    lease = a.claim("r")
    for _ in range(50):
        sites.now += PATIENCE / 10
        a.heart.beat()
        assert ahead.claim("r") is None and behind.claim("r") is None
    assert lease.put(writes("a"))


def test_who_wakes_up_late_puts_nothing_in_place(sites):
    a, b, c = sites.leases("a"), sites.leases("b"), sites.leases("c")
    late = a.claim("r")
    assert b.claim("r") is None
    sites.now += PATIENCE + LOOK
    taken = b.claim("r")
    assert taken.number == 2 and c.claim("r") is None
    assert taken.put(writes("b"))
    assert not late.put(writes("a")), "its attempt was revoked"
    assert stands(sites.out) == ("b", "items of b")
    assert not (sites.out / "leases" / "r.1.staged").exists()


def test_who_wakes_up_late_is_in_vain_even_before_the_other_is_done(sites):
    a, b = sites.leases("a"), sites.leases("b")
    late = a.claim("r")
    assert b.claim("r") is None
    sites.now += PATIENCE + LOOK
    taken = b.claim("r")
    assert not late.put(writes("a")) and not (sites.out / "records").exists()
    assert taken.put(writes("b")) and stands(sites.out)[0] == "b"


def test_of_two_that_take_over_one_does(sites):
    a, *others = (sites.leases(name) for name in "abcdefgh")
    assert a.claim("r")
    for other in others:
        assert other.claim("r") is None
    sites.now += PATIENCE + LOOK
    with ThreadPoolExecutor(7) as pool:
        got = list(pool.map(lambda owner: owner.claim("r"), others))
    assert sum(lease is not None for lease in got) == 1


def test_frozen_between_the_end_and_the_putting_in_place(sites, monkeypatch):
    """The next owner puts the files in place and goes on from them; the first, waking up after that, moves nothing."""
    a, b = sites.leases("a"), sites.leases("b")
    lease = a.claim("r")
    sleeping = []
    monkeypatch.setattr(a, "publish", lambda *arguments: sleeping.append(arguments))
    assert lease.put(writes("a")) and not (sites.out / "records").exists()
    second = b.claim("r")
    assert stands(sites.out) == ("a", "items of a")
    assert second.put(writes("b")) and stands(sites.out) == ("b", "items of b")
    Leases.publish(a, *sleeping[0])
    assert stands(sites.out) == ("b", "items of b")


def test_a_record_never_stands_without_its_items(sites, monkeypatch):
    moved, rename = [], Path.rename
    monkeypatch.setattr(Path, "rename", lambda self, place: (moved.append(place.suffix), rename(self, place)))
    assert sites.leases("a").claim("r").put(writes("a"))
    assert moved == [".parquet", ".json"]


def test_a_record_that_is_deleted_can_be_made_again(sites):
    a = sites.leases("a")
    assert a.claim("r").put(writes("a"))
    (sites.out / "records" / "r.json").unlink()
    assert sites.leases("b").claim("r").put(writes("b")) and stands(sites.out)[0] == "b"


def test_a_network_that_loses_an_answer(sites, monkeypatch):
    """The link was made, its answer was lost, and the repeated request finds it there."""
    link = os.link

    def twice(source, place):
        link(source, place)
        raise FileExistsError

    monkeypatch.setattr(module.os, "link", twice)
    a, b = sites.leases("a"), sites.leases("b")
    assert a.claim("r") and b.claim("r") is None


def test_a_file_system_without_hard_links(sites, monkeypatch):
    def none(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(module.os, "link", none)
    test_one_of_many_gets_it(sites)
    a, b = sites.leases("a"), sites.leases("b")
    lease = a.claim("r")
    assert b.claim("r") is None and lease.put(writes("a")) and not lease.end()
    assert stands(sites.out)[0] == "a" and b.claim("r").number == 2


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_an_attempt_that_could_not_be_made_without_hard_links_is_made_later(sites, monkeypatch, fault):
    """Nothing of a full disk, or of a process that was killed in between, keeps others from the run for ever."""

    def none(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    def broken(*_):
        raise fault

    monkeypatch.setattr(module.os, "link", none)
    leases = sites.leases("a")
    with monkeypatch.context() as patch, pytest.raises((UserError, KeyboardInterrupt)):
        patch.setattr(Path, "rename", broken)
        leases.claim("r")
    assert sites.leases("b").attempts() == {} and leases.claim("r") is not None


def test_leases_with_and_without_hard_links_know_each_other(sites, monkeypatch):
    """As of two mounts of one disk."""

    def none(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    a, b = sites.leases("a"), sites.leases("b")
    assert a.claim("linked")
    monkeypatch.setattr(module.os, "link", none)
    assert b.claim("linked") is None and b.claim("moved") and not a._made("linked.1", {})
    monkeypatch.undo()
    assert a.claim("moved") is None and not a._made("moved.1", {})


def test_a_folder_that_cannot_be_written_is_told(sites, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "link", full)
    with pytest.raises(UserError, match="cannot write .*No space left"):
        sites.leases("a").claim("r")


def test_owners_in_one_process_know_each_other(tmp_path):
    first, second = Leases(tmp_path), Leases(tmp_path)
    with first.beating():
        assert first.claim("r") and second.claim("r") is None

"""Files that are whole or not there, and where the cache lies."""

import errno
import hashlib
import os
import threading

import pytest

from bench import folders
from bench.errors import UserError


def test_the_caches_place_is_the_nearest_that_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TUNEBENCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "")  # empty counts as unset, as the XDG specification has it
    assert folders.cache() == tmp_path / ".cache" / "tunebench"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folders.cache() == tmp_path / "xdg" / "tunebench"
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "own"))
    assert folders.cache() == tmp_path / "own"


def test_the_old_content_stands_until_the_new_is_whole(tmp_path):
    path = tmp_path / "new folder" / "a.txt"
    folders.write_text(path, "old, é")
    with folders.writing(path) as temporary:
        temporary.write_text("half")
        assert temporary.parent == path.parent  # os.replace is atomic within a file system alone
        assert path.read_text(encoding="utf-8") == "old, é"
    assert path.read_text() == "half" and path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_a_block_that_fails_leaves_everything_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    folders.write_text(path, "old")
    with pytest.raises(KeyError), folders.writing(path) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_readers_never_see_a_part_of_a_file(tmp_path):
    path, size = tmp_path / "a.txt", 200_000
    folders.write_text(path, "a" * size)
    writers = [threading.Thread(target=lambda c=c: [folders.write_text(path, c * size) for _ in range(20)]) for c in "bc"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        content = path.read_text()
        assert len(content) == size and len(set(content)) == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_full_or_closed_disk_is_the_users_to_mend(monkeypatch, tmp_path, code):
    def fails(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(UserError, match=rf"cannot write .*a\.txt: {os.strerror(code)}; free some space"):
        folders.write_text(tmp_path / "a.txt", "text")
    assert not list(tmp_path.iterdir())


def test_another_fault_of_the_disk_is_not_dressed_up(monkeypatch, tmp_path):
    def fails(*_):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="broken"):
        folders.write_text(tmp_path / "a.txt", "text")


def test_a_folder_is_tried_before_any_work(tmp_path):
    folders.check_writable(tmp_path / "out")
    assert (tmp_path / "out").is_dir() and not list((tmp_path / "out").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write .*file"):
        folders.check_writable(tmp_path / "file" / "out")


def test_hashes_are_hashlibs(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert folders.sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    (tmp_path / "b").write_bytes(bytes(range(256)) * 5000)
    assert folders.sha256(tmp_path / "b") == hashlib.sha256(bytes(range(256)) * 5000).hexdigest()

"""Nobody sees half a file, and a full disk is the user's to mend."""

import errno
import hashlib
import os
import resource
import signal

import pandas as pd
import pytest

from bench import folders
from bench.errors import UserError


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folders.cache() == tmp_path / "own"
    monkeypatch.delenv("TUNEBENCH_CACHE")
    assert folders.cache() == tmp_path / "xdg" / "tunebench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folders.cache() == tmp_path / ".cache" / "tunebench"


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "a.txt"
    folders.write_text(path, "one é\n")
    with pytest.raises(RuntimeError), folders.writing(path) as temporary:
        temporary.write_text("half")
        assert path.read_text(encoding="utf-8") == "one é\n" and temporary.parent == path.parent
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "one é\n"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]  # nothing temporary stays
    assert path.stat().st_mode & 0o777 == 0o644  # mkstemp's own is for one user alone


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, UserError), (errno.EACCES, UserError), (errno.EIO, OSError)])
def test_what_a_user_can_mend_is_told_as_such(tmp_path, monkeypatch, code, kind):
    def full(old, new):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(kind, match=os.strerror(code)):
        folders.write_text(tmp_path / "a.txt", "x")


@pytest.mark.parametrize(
    "write",
    [lambda path: path.write_text("x" * 10**5), lambda path: pd.DataFrame({"a": range(10**5)}).to_parquet(path, index=False)],
)
def test_a_disk_without_room_leaves_what_was_there(tmp_path, write):
    """A limit on a file's size stands in for it: of a text and of a table, half of it is written by then."""
    path = tmp_path / "a"
    path.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(UserError, match=r"cannot write .*free some space there"), folders.writing(path) as temporary:
            write(temporary)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_folder_is_tried_before_any_work(tmp_path):
    folders.check_writable(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write .*; free some space there, or name another folder"):
        folders.check_writable(tmp_path / "file" / "out")


def test_a_files_hash_is_its_contents(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 10**6)
    assert folders.sha256(tmp_path / "a") == hashlib.sha256(b"abc" * 10**6).hexdigest()

"""Nobody sees half a file, and a full disk is the user's to mend."""

import errno
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import disks
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from bench import folders
from bench.errors import UnwritableError, UserError


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folders.cache() == tmp_path / "own"
    monkeypatch.delenv("TUNEBENCH_CACHE")
    assert folders.cache() == tmp_path / "xdg" / "tunebench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folders.cache() == tmp_path / ".cache" / "tunebench"


def test_a_user_without_a_home_is_told_what_to_name(monkeypatch):
    """Containers have such users: a number, and no line in /etc/passwd."""
    for name in ("TUNEBENCH_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    with pytest.raises(UserError, match="no home folder; name a folder for the cache by TUNEBENCH_CACHE"):
        folders.cache()


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


def test_a_folder_that_another_has_made_meanwhile_stays(tmp_path):
    target = tmp_path / "model"
    with folders.making_once(target) as ours:
        (ours / "weights").write_text("ours")
        with folders.making_once(target) as theirs:
            (theirs / "weights").write_text("theirs")
    assert (target / "weights").read_text() == "theirs" and target.stat().st_mode & 0o777 == 0o755
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, UserError), (errno.EACCES, UserError), (errno.EIO, OSError)])
def test_what_a_user_can_mend_is_told_as_such(tmp_path, monkeypatch, code, kind):
    def full(old, new):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(kind, match=os.strerror(code)):
        folders.write_text(tmp_path / "a.txt", "x")


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_text("x" * 10**5),
        lambda path: pd.DataFrame({"a": range(10**5)}).to_parquet(path, index=False),
        lambda path: save_file({"a": np.zeros(10**5)}, path),
        lambda path: Tokenizer(WordLevel({f"w{n}": n for n in range(10**4)}, "w0")).save(str(path)),
    ],
)
def test_a_disk_without_room_leaves_what_was_there(tmp_path, write):
    """Half of a text or of a table is written by then; libraries in Rust have the system's number in their words alone."""
    path = tmp_path / "a"
    path.write_text("old")
    sentence = r"cannot write .*free some space there"
    with disks.full(10_000), pytest.raises(UnwritableError, match=sentence), folders.writing(path) as temporary:
        write(temporary)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_disk_that_turns_read_only_keeps_what_it_has_and_is_told(tmp_path, monkeypatch):
    """Also the temporary file, which cannot be removed any more."""

    def read_only(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "replace", read_only)
    monkeypatch.setattr(os, "unlink", read_only)
    monkeypatch.setattr(folders.Path, "unlink", read_only)
    with pytest.raises(UnwritableError, match="a.txt: Read-only file system"):
        folders.write_text(tmp_path / "a.txt", "x")
    with pytest.raises(ZeroDivisionError), folders.writing(tmp_path / "a.txt"):
        raise ZeroDivisionError


@pytest.mark.parametrize("folder", [True, False])
def test_a_parent_that_another_process_removes_meanwhile_is_made_again(tmp_path, monkeypatch, folder):
    """The folder of all checkpoints goes with the last of them, while another run may begin its own."""
    make, removed = Path.mkdir, []

    def made(path, *args, **options):
        make(path, *args, **options)
        if path.name == "checkpoints" and not removed:
            removed.append(path.rmdir())

    monkeypatch.setattr(Path, "mkdir", made)
    with folders.writing(tmp_path / "checkpoints" / "one", folder=folder) as temporary:
        (temporary / "a" if folder else temporary).write_text("x")
    assert removed and (tmp_path / "checkpoints" / "one").exists()


def test_a_folder_takes_anothers_place_as_a_whole(tmp_path):
    (tmp_path / "id").mkdir()
    (tmp_path / "id" / "old").touch()
    with folders.writing(tmp_path / "id", folder=True) as temporary:
        (temporary / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["id", "new"] and (tmp_path / "id").stat().st_mode & 0o777 == 0o755


def test_a_folder_is_tried_before_any_work(tmp_path):
    folders.check_writable(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write .*; free some space there, or name another folder"):
        folders.check_writable(tmp_path / "file" / "out")


def test_a_files_hash_is_its_contents(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 10**6)
    assert folders.sha256(tmp_path / "a") == hashlib.sha256(b"abc" * 10**6).hexdigest()


WRITER = """
import os, signal, sys
from pathlib import Path
from bench import folders
with folders.writing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_writing(path):
    subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False)


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    killed_writing(tmp_path / "leaderboard.html")
    killed_writing(tmp_path / "a.json")  # which has swept what the first one left
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.json.") and left.name.endswith(".part") and left.read_text() == "half"
    folders.write_text(tmp_path / "b.json", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]


def named(who, pid, name=".x.json"):
    return f"{name}.{who}-{pid}-abcd1234.part"


def test_what_may_still_be_written_stays(tmp_path):
    here, away, gone = folders._this_machine(), "0" * 12, 2**22 + 1
    kept = [
        tmp_path / named(here, os.getppid()),  # goes on
        tmp_path / named(away, gone),  # of another machine: nobody knows here
        *(tmp_path / name for name in (".bashrc", ".x.part", ".x.json.original", "x.part", named(here, gone, "visible"))),
        tmp_path / ".0123456789abcdef.json.abcd1234",  # an earlier version may be writing it
    ]
    earlier = [".leaderboard.html.k3j_x9ab", ".0123456789abcdef.parquet.abcd1234"]
    old = [tmp_path / named(away, gone, ".old"), *(tmp_path / name for name in earlier), tmp_path / named(here, gone)]
    (tmp_path / named(here, gone, ".link")).symlink_to(tmp_path / ".bashrc")
    for path in (*kept, *old):
        path.write_text("x")
    day_ago = time.time() - folders.ABANDONED - 60
    for path in (*old[:-1], tmp_path / ".x.json.original"):
        os.utime(path, (day_ago, day_ago))
    folders.write_text(tmp_path / "a.json", "whole")
    assert set(tmp_path.iterdir()) == {*kept, tmp_path / "a.json"}


def test_a_clock_that_jumps_takes_nothing_from_another_machine(tmp_path, monkeypatch):
    """Ages are the file system's: this machine may think that it is next year."""
    theirs = tmp_path / named("0" * 12, 1)
    theirs.write_text("x")
    monkeypatch.setattr(time, "time", lambda: 4e9)
    folders.write_text(tmp_path / "a.json", "whole")
    assert theirs.exists()


CHECKER = """
import sys
from pathlib import Path
from bench import folders
for _ in range(1000):
    folders.check_writable(Path(sys.argv[1]))
"""


def test_two_processes_that_try_one_folder_are_not_in_each_others_way(tmp_path):
    both = [subprocess.Popen([sys.executable, "-c", CHECKER, str(tmp_path)], stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate()[1] for process in both] == [b"", b""]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_a_files_place_is_told(tmp_path):
    (tmp_path / "leaderboard.html").mkdir()
    with pytest.raises(UserError, match="a folder stands where the file belongs: move it away"):
        folders.write_text(tmp_path / "leaderboard.html", "page")


def test_a_cache_that_cannot_be_written_names_its_variable(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match="or name another folder for the cache by TUNEBENCH_CACHE"):
        folders.check_writable(folders.cache())


def test_a_long_name_can_be_written(tmp_path):
    folders.write_text(tmp_path / f"{'n' * 250}.txt", "x")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_was_written_anew_has_another_state(tmp_path):
    """Also where it is as large and as old as before."""
    path = tmp_path / "file"
    assert folders.file_state(path) is None
    path.write_text("one")
    before, status = folders.file_state(path), path.stat()
    assert folders.file_state(path) == before
    path.write_text("two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert folders.file_state(path) != before

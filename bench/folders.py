"""Where things lie on disk, and how a file is written so that nobody ever sees half of it."""

import errno
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache as once
from pathlib import Path

import psutil

from bench.errors import UnwritableError, UserError
from bench.process_identity import machine

PART = ".part"
NAME_CHARACTERS = 100
"""Of a file's name that its temporary one repeats, for a person to read: a name has 255 at most."""
ABANDONED = 24 * 3600.0
"""Seconds without a change after which another machine's half-written file is nobody's."""
MENDED_BY_A_PERSON = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EISDIR, errno.ENOTDIR)
_PARTIAL = re.compile(r"\..+\.([0-9a-f]{12})-(\d+)-[^.]+\.part", re.DOTALL)
_EARLIER = re.compile(r"\.(leaderboard\.html|training\.safetensors|[0-9a-f]{16}\.(json|parquet))\.[a-z0-9_]{8}")
"""Names that earlier versions gave: a file's own and what tempfile adds, which a person's file may be called too."""
_swept_folders: set[Path] = set()


def cache() -> Path:
    """$TUNEBENCH_CACHE, by default $XDG_CACHE_HOME/tunebench; it can be deleted at any time.

    Raises:
        UserError: none is named, and the user has no home.
    """
    if named := os.environ.get("TUNEBENCH_CACHE"):
        return Path(named)
    # Set but empty counts as unset, as the XDG Base Directory specification has it.
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named) / "tunebench"
    try:
        return Path.home() / ".cache" / "tunebench"
    except RuntimeError:  # a user whom nobody has given one, as containers have them
        raise UserError("this user has no home folder; name a folder for the cache by TUNEBENCH_CACHE") from None


@contextmanager
def writing(path: Path, folder: bool = False) -> Iterator[Path]:
    """A temporary file, or folder, beside `path` that takes its place when the block ends well, and vanishes when it does not.

    Raises:
        UnwritableError: the disk is full or the folder cannot be written.
    """
    with partial(path, folder) as temporary:
        yield temporary
        # tempfile makes 0600 and 0700, and results are for colleagues to read too.
        temporary.chmod(0o755 if folder else 0o644)
        if folder:  # it takes the place of none but an empty one
            shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)


@contextmanager
def making_once(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well. Where another process was faster with the
    same content, its folder stays: others may read it by now.

    Raises:
        UnwritableError: the disk is full or the folder cannot be written.
    """
    with partial(path, folder=True) as temporary:
        yield temporary
        temporary.chmod(0o755)  # mkdtemp makes 0700, and a cache may be shared
        try:
            os.replace(temporary, path)
        except OSError:
            if not path.is_dir():
                raise


@contextmanager
def partial(path: Path, folder: bool = False) -> Iterator[Path]:
    """An empty file, or folder, beside `path` under a name that says who writes it; what of it is still there at the end goes.

    What killed processes have left so beside it goes too.

    Raises:
        UnwritableError: the disk is full or the folder cannot be written.
    """
    try:
        temporary = _temporary_beside(path, folder)
    except OSError as error:
        raise _unwritable(path, error.errno) from error
    with faults_told(path):
        try:
            _sweep(path.parent, temporary)
            yield temporary
        finally:
            _remove(temporary)


def _temporary_beside(path: Path, folder: bool) -> Path:
    """An empty file or folder beside it: os.replace is atomic within one file system alone, and /tmp may be another."""
    # Another process may remove the folder meanwhile, since it has found it empty: that of all checkpoints.
    for _ in range(2):
        with suppress(FileNotFoundError):
            return _new_temporary(path, folder)
    return _new_temporary(path, folder)


def _new_temporary(path: Path, folder: bool) -> Path:
    prefix = f".{path.name[:NAME_CHARACTERS]}.{_this_machine()}-{os.getpid()}-"
    path.parent.mkdir(parents=True, exist_ok=True)
    if folder:
        return Path(tempfile.mkdtemp(PART, prefix, path.parent))
    handle, name = tempfile.mkstemp(PART, prefix, path.parent)
    os.close(handle)  # who writes opens it by its name
    return Path(name)


@contextmanager
def faults_told(path: Path) -> Iterator[None]:
    """What hinders the block from writing `path` becomes a sentence, where a person can mend it; a broken disk (EIO) keeps its
    traceback.

    Raises:
        UnwritableError: the disk is full or the folder cannot be written.
    """
    try:
        yield
    except Exception as error:
        if (number := _system_error(error)) not in MENDED_BY_A_PERSON:
            raise
        raise _unwritable(path, number) from error


def _unwritable(path: Path, number: int | None) -> UnwritableError:
    advice = "free some space there, or name another folder"
    if number == errno.EISDIR:
        advice = "a folder stands where the file belongs: move it away"
    elif path.is_relative_to(cache()):
        advice += " for the cache by TUNEBENCH_CACHE"
    return UnwritableError(f"cannot write {path}: {os.strerror(number or 0)}; {advice}")


def _system_error(error: Exception) -> int | None:
    """The system's number of what went wrong. Libraries in Rust (safetensors, tokenizers) have it in their words alone."""
    if isinstance(error, OSError):
        return error.errno
    match = re.search(r"\(os error (\d+)\)", str(error))
    return int(match[1]) if match else None


def _sweep(folder: Path, own: Path) -> None:
    """Remove what killed processes were writing there; once a process. Of another machine's, or an earlier version's, nobody
    knows here whether it goes on, so that it must be a day older than `own`, by the file system's clock and not by this
    machine's."""
    if folder in _swept_folders:
        return
    _swept_folders.add(folder)
    with suppress(OSError):
        now = own.stat().st_mtime
        for entry in os.scandir(folder):
            match = _PARTIAL.fullmatch(entry.name)
            if match and match[1] == _this_machine():
                gone = not psutil.pid_exists(int(match[2]))
            elif match or _EARLIER.fullmatch(entry.name):
                gone = now - entry.stat(follow_symlinks=False).st_mtime > ABANDONED
            else:
                continue
            if gone:
                _remove(Path(entry.path))


def _remove(path: Path) -> None:
    """As far as it can be: a disk that has turned read-only keeps what it has, and what was meant to be told goes on."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


@once
def _this_machine() -> str:
    return hashlib.sha256(machine().encode()).hexdigest()[:12]  # as many digits as _PARTIAL looks for


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def told_damaged(path: Path, remedy: str) -> None:
    """A line on something kept that can't be used: it counts as absent, so that nobody has to clean up."""
    print(f"{path} is damaged and counts as absent: {remedy}", file=sys.stderr, flush=True)


def check_writable(folder: Path) -> None:
    """Find out before any work is done that files can be kept in `folder`.

    Raises:
        UnwritableError: they cannot.
    """
    # os.access says yes to root and on a full disk, where an empty file still fits: only bytes tell.
    with partial(folder / "writable") as temporary:
        temporary.write_bytes(b"\0" * 65536)


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_state(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is written anew, where it is moved in place or its time of change is put back too; None where
    there is none."""
    try:
        known = path.stat()
    except OSError:
        return None
    return known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns

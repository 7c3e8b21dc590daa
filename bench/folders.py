"""Where things lie on disk, and how a file is written so that nobody ever sees half of it."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import UserError


def cache() -> Path:
    """$TUNEBENCH_CACHE, by default $XDG_CACHE_HOME/tunebench; it can be deleted at any time."""
    if named := os.environ.get("TUNEBENCH_CACHE"):
        return Path(named)
    # Set but empty counts as unset, as the XDG Base Directory specification has it.
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunebench"


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and vanishes when it does not.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder: os.replace is atomic within one file system alone, and /tmp may be another.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)  # who writes opens it by its name
    except OSError as error:
        raise not_writable(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # mkstemp makes 0600, and results are for colleagues to read too
        os.replace(temporary, path)
    except OSError as error:
        # What a person can mend gets a sentence; a broken disk (EIO) keeps its traceback.
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES):
            raise not_writable(path, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def not_writable(path: Path, error: OSError) -> UserError:
    return UserError(f"cannot write {path}: {error.strerror}; free some space there, or name another folder")


def check_writable(folder: Path) -> None:
    """Find out before any work is done that results can be kept in `folder`.

    Raises:
        UserError: they cannot.
    """
    # os.access says yes to root and on a full disk, where an empty file still fits: only bytes tell.
    with writing(folder / ".writable") as temporary:
        temporary.write_bytes(b"\0" * 65536)
    (folder / ".writable").unlink()


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

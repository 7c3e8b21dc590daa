"""Disks on which nothing can be written any more: full, or turned read-only."""

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench import folders


@contextmanager
def full(room: int = 0) -> Iterator[None]:
    """While the block lasts no file grows beyond `room` bytes. The kernel says so, to libraries in C++ and Rust too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)


@contextmanager
def read_only(named: str = "") -> Iterator[None]:
    """While the block lasts files and folders whose names hold `named` are not begun."""
    with pytest.MonkeyPatch.context() as patch:
        for function in ("mkstemp", "mkdtemp"):
            own = getattr(folders.tempfile, function)

            def begun(ending, beginning, *more, own=own):
                if named in beginning:
                    raise OSError(errno.EROFS, os.strerror(errno.EROFS))
                return own(ending, beginning, *more)

            patch.setattr(folders.tempfile, function, begun)
        yield

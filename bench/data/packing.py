"""Files that are packed, unpacked within a bound: a few bytes can stand for gigabytes."""

import bz2
import gzip
import io
from collections.abc import Callable
from pathlib import PurePath
from typing import BinaryIO

from bench.errors import UserError

UNPACKERS: dict[str, Callable[[BinaryIO], io.BufferedIOBase]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": lambda file: bz2.BZ2File(file),
}
FREE, SWELLING = 256 * 2**20, 100
"""Bytes that any file may hold, and how many times its own size a larger one: text is packed to a third or a tenth."""


def packing(name: str) -> str:
    """`.gz`, `.bz2` or nothing: how the file is packed."""
    *_, ending = ["", *PurePath(name).suffixes]
    return ending if ending in UNPACKERS else ""


def unpacked(name: str, content: bytes) -> bytes:
    """What a file of that name holds.

    Raises:
        UserError: it is damaged, or holds more than a file of its size may.
    """
    packed = packing(name)
    if not packed:
        return content
    try:
        with UNPACKERS[packed](io.BytesIO(content)) as file:
            data = file.read(bound(content) + 1)  # one byte more tells that there are too many
    except Exception as error:  # gzip, bz2 and zlib raise their own
        raise UserError(f"{name}: cannot be unpacked ({packed}): {error}") from error
    if len(data) > bound(content):
        raise UserError(f"{name}: {swollen(content)}; unpack it yourself if that is right")
    return data


def bound(content: bytes) -> int:
    """Bytes that may come of a file's content."""
    return max(FREE, SWELLING * len(content))


def swollen(content: bytes) -> str:
    """What is said of a file of which more comes."""
    return f"its {len(content):,} bytes stand for more than {bound(content) / 1e6:,.0f} MB"

"""Hidden states of texts, kept for as long as the process lives, by what determines them.

They lie in files without a name, which vanish with the process and are read through the system's own cache: the memory that
they take is memory which nothing else needs, and a run's peak is the same whether they are there or not.
"""

import shutil
import tempfile
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import IO

import torch
from torch import Tensor

from bench import folders

LIMIT = 4 * 2**30
"""Bytes of all states together: 100,000 texts of 25 tokens in 400 numbers. Never more than half of what the disk has free."""


@dataclass(frozen=True)
class States:
    """One text's, (length, width) on the CPU, and the seconds that they took."""

    values: Tensor
    seconds: float


class Shelf:
    """States of one kind: of one model, cut at one depth, in one precision. A text is known by a hash of its ids."""

    def __init__(self) -> None:
        folders.cache().mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folders.cache(), buffering=0)  # noqa: SIM115 (it is the shelf)
        self._places: dict[bytes, tuple[int, tuple[int, ...], torch.dtype, float]] = {}
        self.bytes_kept = 0

    def __contains__(self, text: bytes) -> bool:
        return text in self._places

    def read(self, text: bytes) -> States | None:
        """None where they were never written, or can't be read any more."""
        if text not in self._places:
            return None
        start, shape, dtype, seconds = self._places[text]
        values = torch.empty(shape, dtype=dtype)
        into = values.view(torch.uint8).numpy()
        self._file.seek(start)
        if self._file.readinto(into) < into.nbytes:  # type: ignore[attr-defined]
            del self._places[text]
            return None
        return States(values, seconds)

    def write(self, text: bytes, states: States) -> None:
        """Raises OSError where the disk is full; nothing is kept then."""
        values = states.values.contiguous()
        data, start = values.view(torch.uint8).numpy().tobytes(), self.bytes_kept
        self._file.seek(start)
        # A file without a buffer may take less at once than it is given.
        while data:
            data = data[self._file.write(data) :]
        self._places[text] = start, tuple(values.shape), values.dtype, states.seconds
        self.bytes_kept += values.nbytes

    def close(self) -> None:
        self._file.close()


class Activations:
    """All shelves, of at most `limit` bytes together; where there is no room, those that were not used for longest go."""

    def __init__(self, limit: int) -> None:
        self._limit, self._shelves = limit, OrderedDict[str, Shelf]()

    @property
    def bytes_kept(self) -> int:
        return sum(shelf.bytes_kept for shelf in self._shelves.values())

    def read(self, key: str, text: bytes) -> States | None:
        if key not in self._shelves:
            return None
        self._shelves.move_to_end(key)
        return self._shelves[key].read(text)

    def write(self, key: str, text: bytes, states: States) -> None:
        """Keep them if there is room, and no second time; whoever asks for what was not kept computes it again."""
        if states.values.nbytes > self._limit:
            return
        try:
            shelf = self._shelves.get(key) or self._shelves.setdefault(key, Shelf())
            self._shelves.move_to_end(key)
            while self.bytes_kept + states.values.nbytes > self._limit and len(self._shelves) > 1:
                self._shelves.popitem(last=False)[1].close()
            if text not in shelf and self.bytes_kept + states.values.nbytes <= self._limit:
                shelf.write(text, states)
        except OSError:
            self.clear()
            self._limit = 0

    def clear(self) -> None:
        while self._shelves:
            self._shelves.popitem()[1].close()


@cache
def kept_states() -> Activations:
    """The process's own."""
    free = 0
    with suppress(OSError):  # a cache that can't be written keeps nothing
        folders.cache().mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folders.cache()).free
    return Activations(min(LIMIT, free // 2))

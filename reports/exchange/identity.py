"""What makes an imported record one and the same: whose file it is, and what is in it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.hashing import digest
from bench.records.record import Import, Interval, Setup

BEGINNING = 80
"""Characters of a prompt that a record keeps, which may be a page of code."""


def told_words(prompt: str, words: Any) -> dict[str, str]:
    """In which words a task was asked, as a record tells them: how its prompt begins, and a hash of all of them."""
    return {"prompt": prompt[:BEGINNING], "hash": digest(words)}


def imported(
    whose: str, path: Path, contents: Sequence[bytes], setup: Setup, interval: Interval
) -> tuple[str, dict[str, Any], Import]:
    """The run's id, the inputs that it is made a hash of, and where the record comes from.

    `contents` are the bytes of the file and of those that belong to it. The file's name is no part of the id: the same content
    is the same record, however often and from wherever it is imported.
    """
    sums = [hashlib.sha256(content).hexdigest() for content in contents]
    named = {name: getattr(setup, name) for name in ("suite", "model", "task", "strategy", "seed")}
    inputs: dict[str, Any] = {"import": whose, "sha256": sums, **named}
    return digest(inputs), inputs, Import(whose=whose, file=path.name, sha256=sums[0], interval=interval)

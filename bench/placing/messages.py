"""What is said between a worker and who gives it work."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["ready", "doing", "said", "result", "done", "wrong", "ending", "lost"]
"""It is there and waits; where its run stands; a sentence for the person; a result in words; what its work has come to; the
input is wrong; why it ends, in its own words (`Ending`); it is gone, and how that looks from outside."""
Ending = Literal["broken off", "failed", "error"]
"""Memory ran out, and the same run goes on in smaller micro-batches; memory ran out, and nothing is smaller; anything else,
which may come of another process that is gone."""


@dataclass(frozen=True)
class Message:
    """From a worker."""

    worker: int
    """The number of its slot."""
    kind: Kind
    content: Any = None


Post = Callable[[Message], None]


@dataclass(frozen=True)
class WorkerSetting:
    """What holds for all that a worker does; it is told once, when the worker begins."""

    out: Path
    precision: Any
    debug: bool
    # Classes of rooms that load heavy packages are not named here: a worker sets up its process before it loads any.
    keep: Any
    folder: Path = field(default_factory=Path.cwd)
    """From which a person has named files."""

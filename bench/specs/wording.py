"""How a task is put into words: plainly or as an instruction, with or without solved examples before it."""

from dataclasses import dataclass
from typing import Literal

Style = Literal["plain", "instruction"]


@dataclass(frozen=True)
class Wording:
    """How a strategy puts a task into words."""

    style: Style = "plain"
    shots: int = 0
    """Solved examples before the question."""

"""`--checkpoint-every`: how often a training is kept, so that it can go on from there."""

import re
from dataclasses import dataclass

from bench.errors import UserError


@dataclass(frozen=True)
class CheckpointInterval:
    """Seconds or steps between two checkpoints; of the two exactly one is given."""

    seconds: float | None = None
    steps: int | None = None

    def is_over(self, seconds: float, steps: int) -> bool:
        """Whether it is, so many seconds and steps after the last checkpoint."""
        return steps >= self.steps if self.steps is not None else seconds >= (self.seconds or 0)


def checkpoint_interval(text: str) -> CheckpointInterval:
    """`300s` or `50steps`.

    Raises:
        UserError: it is neither, or nothing.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)s|(\d+)steps?", text.strip())
    if not match or not float(match[1] or match[2]):
        raise UserError(f"--checkpoint-every {text}: give seconds (300s) or steps (50steps), more than 0")
    return CheckpointInterval(seconds=float(match[1])) if match[1] else CheckpointInterval(steps=int(match[2]))

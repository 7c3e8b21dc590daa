"""`--checkpoint-every`: how often a training is kept, so that it can go on from there."""

import re
from dataclasses import dataclass

from bench.errors import UserError

LEAST_SECONDS = 60.0
"""At least, between two checkpoints whose interval nobody gave."""
WRITING_TIMES = 100.0
"""So many times what one takes lies between them: at most a hundredth of the time goes into keeping."""


@dataclass(frozen=True)
class CheckpointInterval:
    """Seconds or steps between two checkpoints, of which one at most is given; without either it hangs on what one takes."""

    seconds: float | None = None
    steps: int | None = None

    def is_over(self, seconds: float, steps: int, writing: float) -> bool:
        """Whether it is, so many seconds and steps after the last checkpoint.

        Args:
            writing: seconds that a checkpoint takes.
        """
        if self.steps is not None:
            return steps >= self.steps
        return seconds >= (max(LEAST_SECONDS, WRITING_TIMES * writing) if self.seconds is None else self.seconds)


def checkpoint_interval(text: str) -> CheckpointInterval:
    """`300s`, `50steps` or `auto`.

    Raises:
        UserError: it is neither, or nothing.
    """
    if text.strip() == "auto":
        return CheckpointInterval()
    match = re.fullmatch(r"(\d+(?:\.\d+)?)s|(\d+)steps?", text.strip())
    if not match or not float(match[1] or match[2]):
        raise UserError(f"--checkpoint-every {text}: give seconds (300s) or steps (50steps), more than 0, or auto")
    return CheckpointInterval(seconds=float(match[1])) if match[1] else CheckpointInterval(steps=int(match[2]))

"""`--probe-every`: after how many steps a run is measured on its way."""

import re

from bench.errors import UserError

SMALLEST_SHARE = 1e-6
"""Share of a budget: a smaller one has no digits in the text that stands for it."""


def checked_stride(every: str | None) -> str | None:
    """A number of steps, or a share of the budget as a fraction or in per cent; a share always in per cent, so that 0.5 and
    50% are one run.

    Raises:
        UserError: it is neither.
    """
    if every is None:
        return None
    if stride := amount(every):
        return str(stride) if isinstance(stride, int) else f"{100 * stride:g}%"
    raise UserError(f"--probe-every {every}: give a number of steps (10) or a share of the budget (0.25 or 25%)")


def amount(every: str) -> int | float:
    """A number of steps, or a share of them, at least SMALLEST_SHARE and at most 1; 0 where it is neither."""
    match = re.fullmatch(r"(\d+)|(0?\.\d+)|(\d+(?:\.\d+)?)%", every)
    if not match:
        return 0
    if match[1]:
        return int(match[1])
    share = float(match[2]) if match[2] else float(match[3]) / 100
    return share if SMALLEST_SHARE <= share <= 1 else 0

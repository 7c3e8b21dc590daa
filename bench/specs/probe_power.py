"""`--probe-power`: how small a loss a probe is to find four times out of five."""

import re
from dataclasses import dataclass

from bench.errors import UserError

SMALLEST_LOSSES = {"points": 0.05, "nats": 1e-4}
"""Losses that take millions of items."""


@dataclass(frozen=True)
class ProbePower:
    """Losses to be found: of accuracy or AUC as a share, of a loss per token in nats; None where nothing is said of it."""

    share: float | None
    nats: float | None


def probe_power(text: str) -> ProbePower:
    """`5points`, `.02nats`, or both with a comma between them.

    Raises:
        UserError: it is neither.
    """
    losses: dict[str, float] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(points|nats)\s*", part)
        if not match or float(match[1]) <= 0 or match[2] in losses or (match[2] == "points" and float(match[1]) >= 100):
            raise UserError(f"probe power '{text}': give a loss in points, in nats, or both, as 5points,.02nats")
        if float(match[1]) < SMALLEST_LOSSES[match[2]]:
            smallest = f"{SMALLEST_LOSSES[match[2]]:g}{match[2]}"
            raise UserError(
                f"probe power '{text}': no probe has the items that so small a loss takes; give at least {smallest}"
            )
        losses[match[2]] = float(match[1])
    return ProbePower(losses["points"] / 100 if "points" in losses else None, losses.get("nats"))

"""How small a loss so many items show, four times out of five by a two-sided test at .05, and how many items a loss needs.

A continuous number is a mean of paired differences (the t test); right answers are compared by the exact McNemar test.
"""

import math

import numpy as np
from scipy.special import ndtri

from bench.statistics.detectable import POWER
from bench.statistics.intervals import CONFIDENCE, Z, student_quantile

LEVEL = 1 - CONFIDENCE
BEYOND = -float(ndtri(1 - POWER))
"""How many standard deviations of a normal number its loss must lie beyond what is significant, to be found so often."""


def power_of_mean(loss: float, spread: float, items: int) -> float:
    """How often the t test finds a mean loss where the paired differences have that standard deviation."""
    from scipy.stats import nct  # half a second that only plans of items need

    far = student_quantile(LEVEL, items - 1)
    # scipy's noncentral t is not finite far out, where everything is found.
    power = float(nct.sf(far, items - 1, loss / spread * math.sqrt(items)))
    return power if math.isfinite(power) else 1.0


def power_of_share(loss: float, discordance: float, items: int) -> float:
    """How often the exact McNemar test finds a loss of accuracy where that share of items is right in one model alone."""
    from scipy.stats import binom  # as above

    changed = np.arange(items + 1)
    needed = binom.isf(LEVEL / 2, changed, 0.5) + 1  # so many losses among the changed items, and not fewer
    powers = binom.sf(needed - 1, changed, (discordance + loss) / (2 * discordance))
    return float(binom.pmf(changed, items, discordance) @ powers)


def smallest_shown(low: float | None, high: float | None, items: int) -> float | None:
    """By the interval of a loss, which is found where the interval leaves zero out: half its width times (t.975 + t.8) / t.975.

    For the mean of paired differences that is the loss which the t test finds so often; it also holds for a number that is no
    mean (AUC) and for intervals over seeds. None where there is no interval, or where nothing changed at all.
    """
    if low is None or high is None or not high > low or items < 2:
        return None
    tail, more = (float(student_quantile(level, items - 1)) for level in (LEVEL, 2 * (1 - POWER)))
    return (high - low) / 2 * (1 + more / tail)


def items_for_mean(loss: float, spread: float) -> int:
    """The fewest items on which a mean loss is found four times out of five."""
    # The normal distribution asks for too few, so that the search begins below the answer.
    items = max(2, round(((Z + BEYOND) * spread / loss) ** 2) - 2)
    while power_of_mean(loss, spread, items) < POWER:
        items += 1
    return items


def items_for_share(loss: float, discordance: float) -> int:
    """The same for a loss of accuracy; a loss larger than the discordance is all of it."""
    lost = min(loss, discordance)
    tails = Z * math.sqrt(discordance) + BEYOND * math.sqrt(discordance - lost**2)
    # Here too the search begins below the answer: the exact test asks for more than the normal distribution.
    items = max(2, round((tails / lost) ** 2) - 2)
    while power_of_share(lost, discordance, items) < POWER:
        items += 1
    return items

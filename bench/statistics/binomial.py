"""What a share of right answers says where nothing is known of the items but their number."""

import numpy as np
from scipy.special import ndtri

from bench.statistics.intervals import CONFIDENCE


def wilson(share: float, items: int) -> tuple[float, float]:
    """The 95 % interval of a share of independent items, each right or wrong (Wilson 1927).

    Raises:
        ValueError: it is no share, or of no item.
    """
    if not 0 <= share <= 1 or items < 1:
        raise ValueError(f"{share} of {items} items is no share")
    z = float(ndtri((1 + CONFIDENCE) / 2))
    rate = z**2 / items
    centre = (share + rate / 2) / (1 + rate)
    reach = z * np.sqrt(share * (1 - share) / items + rate / (4 * items)) / (1 + rate)
    return max(float(centre - reach), 0.0), min(float(centre + reach), 1.0)

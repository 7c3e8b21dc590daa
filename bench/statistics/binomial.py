"""What a share of right answers says where nothing is known of the items but their number."""

from bench.statistics.intervals import Z, wilson_bounds


def wilson(share: float, items: int) -> tuple[float, float]:
    """The 95 % interval of a share of independent items, each right or wrong (Wilson 1927).

    Raises:
        ValueError: it is no share, or of no item.
    """
    if not 0 <= share <= 1 or items < 1:
        raise ValueError(f"{share} of {items} items is no share")
    rate = Z**2 / items
    low, high = wilson_bounds(share, (rate * share * (1 - share)) ** 0.5, rate)
    return max(float(low), 0.0), min(float(high), 1.0)

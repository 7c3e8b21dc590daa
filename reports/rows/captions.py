"""What the intervals of a table hold, in a sentence."""

from collections.abc import Sequence

from bench.statistics.estimates import Estimate


def statement(estimates: Sequence[Estimate]) -> str:
    """One sentence on what the intervals of these estimates hold and what they don't."""
    bases = {each.basis for each in estimates if each.low is not None}
    if not bases:
        return "No intervals: there are no scores with bounds."
    if bases == {"items"}:
        return "95 % intervals hold items alone: each row is one run, so the variation between seeds is not in them."
    parts = []
    if "items and seeds" in bases:
        parts.append("those of several seeds hold items and seeds (two-level bootstrap)")
    if "bounds" in bases:
        parts.append(
            "those marked † hold items alone: they are the mean of the seeds' own bounds, "
            "because the metric is not made of sums over items or the per-item answers are missing"
        )
    if "items" in bases:
        parts.append("those of a single run hold items alone")
    return f"95 % intervals: {'; '.join(parts)}."

"""Intervals, paired comparisons and what they allow to say; numpy and scipy alone."""

"""What is said of a loss beside its number: a word, or a mark."""

from bench.statistics.estimates import Estimate

MARK = "*"
MARKED = f"{MARK}: this forgetting is more than chance, corrected for how many probes the row has (Holm)."
BESIDE_INTERVALS = "An interval is not corrected, so that it may leave zero out where there is no mark."
"""What a reader needs where the losses' own intervals stand beside the marks."""
# A table has the task's gain beside it, and one word is not to mean both.
VERDICT_WORDS = {"gain": "better"}


def verdict_word(lost: Estimate) -> str | None:
    """`loss`, `better` or `none`; None where there is no interval."""
    return VERDICT_WORDS.get(lost.verdict, lost.verdict) if lost.verdict else None


def mark(lost: Estimate) -> str:
    """Empty where the loss is no more than chance."""
    return MARK if lost.significant else ""

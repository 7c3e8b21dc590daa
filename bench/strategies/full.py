"""Full fine-tuning: every weight trains."""

from bench.strategies.base import Strategy


class Full(Strategy):
    """Exactly the base class."""

"""Instruction tuning: the task as an explicit instruction in several paraphrases, answered in text (Wei et al. 2021)."""

from bench.specs.wording import Wording
from bench.strategies.base import Strategy


class Instruction(Strategy):
    @property
    def wording(self) -> Wording:
        return Wording(style="instruction")

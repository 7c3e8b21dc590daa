"""Several tasks at once under instructions, with rehearsal of general text, within the same total budget (Sanh et al. 2021).

An encoder has one head per task on the shared trunk; without a language-modelling head it cannot rehearse text.
"""

from typing import Self

from pydantic import Field, model_validator

from bench.prompts import Wording
from bench.specs import Source
from bench.strategies.base import Hyperparameters, Strategy


class MultitaskHyperparameters(Hyperparameters):
    tasks: dict[str, float] = Field(min_length=1)
    """Other task -> its share of the budget."""
    rehearsal: Source | None = None
    """General text: a source with the column `text`."""
    rehearsal_share: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _room_for_the_task(self) -> Self:
        if sum(self.tasks.values()) + self.rehearsal_share >= 1 or min(self.tasks.values()) <= 0:
            raise ValueError("shares must be positive and leave a part of the budget to the suite's own task")
        if self.rehearsal_share and (not self.rehearsal or "text" not in self.rehearsal.columns):
            raise ValueError("a rehearsal_share needs a rehearsal source with the column text")
        return self


class Multitask(Strategy):
    Hyperparameters = MultitaskHyperparameters
    hyperparameters: MultitaskHyperparameters

    @property
    def wording(self) -> Wording:
        return Wording(style="instruction")

    @property
    def tasks(self) -> dict[str, float]:
        return self.hyperparameters.tasks

    @property
    def rehearsal(self) -> tuple[Source, float] | None:
        if not self.hyperparameters.rehearsal or not self.hyperparameters.rehearsal_share:
            return None
        return self.hyperparameters.rehearsal, self.hyperparameters.rehearsal_share

"""Several tasks, as instructions unless asked otherwise, with rehearsal of general text, within the same total budget
(Sanh et al. 2021).

An encoder has one head per task on the shared backbone; without a language-modelling head it cannot rehearse text.
"""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from bench.specs.source import Source
from bench.specs.wording import Style, Wording
from bench.strategies.base import Hyperparameters, Strategy


class MixtureHyperparameters(Hyperparameters):
    style: Style = "instruction"
    """How the tasks are worded."""
    tasks: dict[str, float] = {}
    """Other task -> its share of the budget, where shares are fixed."""
    mixing: Literal["shares", "proportional", "temperature"] = "shares"
    """Fixed shares; or shares by the number of training examples n: n, or n^(1/T) (Raffel et al. 2020, section 3.5.2)."""
    temperature: float = Field(default=2.0, ge=1)
    limit: int = Field(default=2**14, ge=1)
    """A task counts as having at most so many examples, so that a huge one does not crowd out the others."""
    rehearsal: Source | None = None
    """General text: a source with the column `text`."""
    rehearsal_share: float = Field(default=0.0, ge=0, lt=1)
    rehearsal_weight: float | None = Field(default=None, gt=0, le=1)
    """Of each token of a rehearsed text in the loss, where a token of an answer weighs 1; without it a text's tokens weigh 1
    together, so that the loss of a long text counts no more than that of a short one."""
    progressive: bool = False
    """The new task is phased in: its share rises from `start` to `end`, while all else fades in proportion."""
    start: float = Field(default=0.2, ge=0, le=1)
    end: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _room_for_the_task(self) -> Self:
        # By size, shares follow from the data and always leave some.
        mixed = sum(self.tasks.values()) if self.mixing == "shares" else 0.0
        if not self.tasks and not self.rehearsal_share:
            raise ValueError("name other tasks, or a rehearsal_share with its rehearsal source")
        if mixed + self.rehearsal_share >= 1 or min(self.tasks.values(), default=1) <= 0:
            raise ValueError("shares must be positive and leave a part of the budget to the suite's own task")
        if self.rehearsal_share and (not self.rehearsal or "text" not in self.rehearsal.columns):
            raise ValueError("a rehearsal_share needs a rehearsal source with the column text")
        if self.rehearsal_weight is not None and not self.rehearsal_share:
            raise ValueError("a rehearsal_weight needs a rehearsal_share: without one no text is rehearsed")
        self._check_read(self.mixing == "temperature", "mixing: temperature", "temperature")
        self._check_read(self.mixing != "shares", "mixing: proportional or temperature", "limit")
        self._check_read(self.progressive, "progressive", "start", "end")
        return self


class Mixture(Strategy):
    Hyperparameters = MixtureHyperparameters
    hyperparameters: MixtureHyperparameters

    @property
    def wording(self) -> Wording:
        return Wording(style=self.hyperparameters.style)

    @property
    def tasks(self) -> list[str]:
        return list(self.hyperparameters.tasks)

    @property
    def rehearsal(self) -> Source | None:
        return self.hyperparameters.rehearsal if self.hyperparameters.rehearsal_share else None

    @property
    def rehearsal_weight(self) -> float | None:
        return self.hyperparameters.rehearsal_weight

    def shares(self, own: str, sizes: Mapping[str, int], rehearses: bool, progress: float) -> dict[str, float]:
        chosen = self.hyperparameters
        text = {"rehearsal": chosen.rehearsal_share} if rehearses else {}
        if chosen.mixing == "shares":
            # A task that is mixed in and is itself the suite's own gets no second share.
            others = {name: share for name, share in chosen.tasks.items() if name in sizes and name != own}
            shares = {own: 1.0 - sum(others.values()) - sum(text.values()), **others, **text}
        else:
            power = 1.0 if chosen.mixing == "proportional" else 1 / chosen.temperature
            weights = {name: min(size, chosen.limit) ** power for name, size in sizes.items()}
            left = (1.0 - sum(text.values())) / sum(weights.values())
            shares = {**{name: weight * left for name, weight in weights.items()}, **text}
        return self._phased(own, shares, progress) if chosen.progressive else shares

    def _phased(self, own: str, shares: dict[str, float], progress: float) -> dict[str, float]:
        """The task's share on its way from start to end; the others keep their proportions in what is left."""
        mine = self.hyperparameters.start + (self.hyperparameters.end - self.hyperparameters.start) * progress
        # From the others' own sum: fixed shares may leave it at any size.
        rest = sum(share for name, share in shares.items() if name != own)
        if not rest:
            return {own: 1.0}
        return {name: mine if name == own else share / rest * (1 - mine) for name, share in shares.items()}

"""What a strategy may decide: how the base is loaded, which weights train, how examples are worded, what is mixed in."""

import operator
from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator
from torch import Tensor, nn

from bench.modeling.weights import full_tensor
from bench.specs.base import Family, Spec
from bench.specs.source import Source
from bench.specs.wording import Wording


class Hyperparameters(Spec):
    """Those of every strategy that trains. The learning rate has no default here: it comes from suites/strategies/.

    A misspelt name is an error, as in every `Spec`: it would silently train with the default.
    """

    learning_rate: float = Field(gt=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the budget over which the learning rate rises; its first step is above 0."""
    schedule: Literal["linear", "constant"] = "linear"
    max_grad_norm: float = Field(default=1.0, gt=0)
    compile: bool = Field(default=False, exclude_if=operator.not_)
    """Whether the blocks are compiled for the training steps: these are faster then, after what compiling takes.

    Told where it is so alone: results of before there was this setting keep their ids and pair with later ones.
    """
    # Against small data; all off by default.
    early_stopping: int | None = Field(default=None, ge=1)
    """End when so many validations in a row brought no better score, and keep the best weights (Prechelt 1998)."""
    validate_every: float = Field(default=0.1, gt=0, le=1)
    """Share of the budget between validations, for early stopping."""
    dropout: float | None = Field(default=None, ge=0, lt=1)
    """Of every dropout layer and of attention, instead of the model's own."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of the probability spread over all classes (Szegedy et al. 2016)."""
    augmentation: float = Field(default=0.0, ge=0, lt=1)
    """Share of words left out of each training text, drawn anew each time (Wei & Zou 2019)."""

    @model_validator(mode="after")
    def _read(self) -> Self:
        """What nothing reads would make other runs of the same training, and look like a setting without an effect."""
        self._check_read(self.early_stopping is not None, "early_stopping", "validate_every")
        return self

    def _check_read(self, read: bool, by: str, *names: str) -> None:
        defaults = type(self).model_fields
        for name in names:
            if not read and getattr(self, name) != defaults[name].default:
                raise ValueError(f"{name} changes nothing without {by}; set that too, or leave it out")


class Untrained(Spec):
    """Hyper-parameters of a reference row that trains nothing."""


class Strategy:
    """Base class: trains every weight on the task's own examples, plainly worded. It knows no task."""

    Hyperparameters: ClassVar[type[BaseModel]] = Hyperparameters
    trains: ClassVar[bool] = True

    def __init__(self, name: str, hyperparameters: BaseModel) -> None:
        self.name = name
        self.hyperparameters = hyperparameters

    @property
    def wording(self) -> Wording:
        return Wording()

    @property
    def bits(self) -> int:
        """Bits of a base weight: 32, or 8 or 4 through bitsandbytes."""
        return 32

    @property
    def compiles(self) -> bool:
        """Whether the model's blocks are compiled for its training."""
        return bool(getattr(self.hyperparameters, "compile", False))

    @property
    def tasks(self) -> list[str]:
        """Other tasks that are mixed in."""
        return []

    @property
    def rehearsal(self) -> Source | None:
        """General text that is rehearsed by decoders."""
        return None

    @property
    def rehearsal_weight(self) -> float | None:
        """Of each token of a rehearsed text in the loss; None where a text weighs as one token of an answer."""
        return None

    def shares(self, own: str, sizes: Mapping[str, int], rehearses: bool, progress: float) -> dict[str, float]:
        """Each component's share of the examples at a progress in [0, 1]: the tasks of `sizes` (name -> training examples) and
        `rehearsal`; they sum to 1."""
        return {own: 1.0}

    def adapt(self, model: nn.Module, family: Family) -> nn.Module:
        """Freeze or wrap the freshly loaded model in place; returns what is trained and evaluated."""
        return model

    def trained_state(self, model: nn.Module, read: Callable[[Tensor], Tensor] = full_tensor) -> dict[str, Tensor]:
        """The tensors that must be kept beside the pinned base to have this model again, each as `read` gives it: all of it,
        also where processes share it out, or its `outline`."""
        return {name: read(parameter) for name, parameter in model.named_parameters() if parameter.requires_grad}

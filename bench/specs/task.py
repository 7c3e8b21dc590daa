"""suites/tasks/NAME.yaml."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from bench.specs.base import Distinct, Name, Spec
from bench.specs.source import Source, SourceOrSources, Split
from bench.specs.template import fields_in

# `balanced` is BALANCED of bench/tasks/splits.py, a room that specs may not import.
OWN_SETS = {"train", "validation", "test", "balanced"}
"""Names of a task's splits, and of its test as thinned; a set is asked for by its name."""


class Instructions(Spec):
    """Paraphrases of the instruction: those seen in training, and unseen ones for the test."""

    train: Distinct = Field(min_length=1)
    test: Distinct = Field(min_length=1)


class TaskSpec(Spec):
    """suites/tasks/NAME.yaml: labelled data, a metric, and how the task is put to a model in words."""

    name: Name
    version: int = Field(ge=1)
    description: str
    type: str
    """Name of a module in bench/tasks/types/."""
    metrics: Distinct = Field(min_length=1)
    """The first is the task's score."""
    labels: Distinct = []
    """Classes, or types of entities."""
    options: dict[str, Any] = {}
    """What the type alone knows."""
    train: SourceOrSources
    """One source, or several: held-out splits are cut from the first, the others are further training data."""
    validation: Split
    test: Split
    out_of_domain: dict[Name, Source] = {}
    """Further test sets, from where the training data does not come."""
    cluster: str | None = None
    """Field that says what an example belongs to together with others: a film, a title, a story. Sources may lack it."""
    prompt: str = "{text}"
    """Template with the example's fields in braces; the answer follows it."""
    answers: dict[str, str] = {}
    """Label -> the words that stand for it (the verbaliser), without a leading space."""
    instructions: Instructions | None = None
    """Needed where a strategy or a model is asked by instruction, and there alone."""

    @property
    def train_sources(self) -> list[Source]:
        return self.train if isinstance(self.train, list) else [self.train]

    @property
    def templates(self) -> list[str]:
        """All wordings with fields in braces."""
        return [self.prompt, *self.paraphrases("train"), *self.paraphrases("test")]

    def paraphrases(self, split: Literal["train", "test"]) -> list[str]:
        """The split's wordings of the instruction; without any, the prompt."""
        return getattr(self.instructions, split) if self.instructions else [self.prompt]

    def sources(self) -> list[Source]:
        """Everything that rows are read from."""
        held_out = [part for part in (self.validation, self.test) if isinstance(part, Source)]
        return [*self.train_sources, *held_out, *self.out_of_domain.values()]

    def fields_named(self) -> set[str]:
        """Fields of the example that the templates name; ValueError where one cannot be filled."""
        return {name for text in self.templates for name in fields_in(text)}

    @model_validator(mode="after")
    def _train_is_of_one_shape(self) -> Self:
        if len({frozenset(source.columns) for source in self.train_sources}) > 1:
            raise ValueError("the sources of train must give the same columns")
        return self

    @field_validator("out_of_domain")
    @classmethod
    def _of_names_of_their_own(cls, value: dict[str, Source]) -> dict[str, Source]:
        if taken := OWN_SETS & set(value):
            raise ValueError(
                f"a set from another domain cannot be called '{min(taken)}', which is another of the task's own sets"
            )
        return value

    @model_validator(mode="after")
    def _templates_can_be_filled(self) -> Self:
        # For its ValueError.
        self.fields_named()
        return self

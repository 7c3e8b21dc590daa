"""What the untouched base model has answered, as all that runs are held against."""

from dataclasses import dataclass, field

import pandas as pd

from bench.specs.wording import Style

FIRST_ITEMS = 4
"""Of each probe, on which a fresh adapter is tried, and the model of a row that trains nothing."""


@dataclass(frozen=True)
class BaseAnswers:
    """What the base model answers to the examples of one set."""

    same: pd.DataFrame
    """Asked in the words in which the run's model is asked: what training changed."""
    best: pd.DataFrame
    """Asked in that of its wordings which does best on validation items: what there is without training."""
    best_style: Style


@dataclass(frozen=True)
class BaseResults:
    """What the base model gives to all that a run is held against: in its reference precision, but for what is rounded."""

    test: BaseAnswers
    elsewhere: dict[str, BaseAnswers] = field(default_factory=dict)
    probes: dict[str, pd.DataFrame] = field(default_factory=dict)
    rounded: dict[str, pd.DataFrame] = field(default_factory=dict)
    """The probes of the base rounded as in training, before any training; empty where that changes nothing."""
    first_items: dict[str, pd.DataFrame] = field(default_factory=dict)
    """The probes' first items, asked together, of the base rounded as in training: in 8 bit rounding depends on the batch."""
    validation: pd.DataFrame | None = None
    """Where a curve is measured."""
    stages: list[pd.DataFrame] = field(default_factory=list)
    """Each stage's test set, where there are several stages."""

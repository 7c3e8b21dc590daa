"""Do the probes catch their own mistakes? Each test measures a few items of a probe in a second way, and answers yes or no.

They read the model in fp32, without autocast: rounding to 8 or 16 bit depends on the batch, and equal results are asked for.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
from scipy.stats import binom
from torch import nn

from bench.data.sources import SourceRow
from bench.inference.local import LocalBackend
from bench.modeling.structure import layers
from bench.probes.base import Probe, columns
from bench.probes.lm_loss import LmLoss
from bench.probes.multiple_choice import MultipleChoice
from bench.probes.similarity import Similarity

P = TypeVar("P", bound=Probe)

ITEMS = 8
TOLERANCE = 1e-5
SHUFFLES = 25
"""Of the items' gold choices; the choices' likelihoods are asked for once."""
CERTAIN = 1 - 1e-6
"""Share of all guesses that the shuffled accuracy may lie among: a sound probe is told off once in a million times."""
MARGIN = 0.1
"""Nats per token."""
KNOWS = 0.9
"""Share of a uniform guess's loss below which a model knows something of the language."""
DAMAGE = (0.1, 0.3, 1.0)
"""Standard deviation of the noise on a weight matrix, in standard deviations of the matrix."""


class SelfTests:
    """A probe's first items on one model, measured once; each test is a second look at them."""

    def __init__(self, probe: Probe, model: nn.Module, items: int = ITEMS) -> None:
        self.probe, self.model = few(probe, items), model
        # Without a device: in fp32 and in one process, as equal results are asked for.
        self.backend = LocalBackend(model, probe.encoding.model)
        self.measured = self.probe.measure(self.backend)

    @property
    def score(self) -> float:
        return self.probe.score(columns(self.measured))

    def untouched_forgets_nothing(self) -> bool:
        """Measured again, the same model has lost exactly nothing."""
        old, new = self.probe.scores(columns(self.measured), columns(self.probe.measure(self.backend)))
        return old == new

    def shifted_labels_are_worse(self) -> bool:
        """The probe's loss lies clearly below that on the token just read, and on the token after the next.

        A shift of one in either direction is the mistake. It cannot be seen on a model that knows nothing.
        """
        just_read, _, after_next = self._losses
        return self.score + MARGIN < min(just_read, after_next)

    @property
    def knows_language(self) -> bool:
        """Whether mistakes in scoring text can be seen on the model.

        By its own logits: a probe that scores the wrong tokens must not excuse itself.
        """
        _, next_token, _ = self._losses
        return next_token < KNOWS * math.log(len(self.probe.encoding.model.tokenizer))

    @cached_property
    def _losses(self) -> list[float]:
        return losses_ahead(self.probe, self.model, (0, 1, 2))

    def shuffled_gold_is_chance(self) -> bool:
        """With gold choices drawn at random, many times, the accuracy is that of guessing."""
        shuffled = copy(self.probe)
        generator = np.random.default_rng(0)
        rows = self.probe.rows * SHUFFLES
        shuffled.rows = [SourceRow({**row, "gold": str(generator.integers(len(row["choices"])))}, row.place) for row in rows]
        chance = float(np.mean([1 / len(row["choices"]) for row in rows]))
        low, high = binom.interval(CERTAIN, len(rows), chance)
        return bool(low <= shuffled.measure(self.backend)["right"].sum() <= high)

    def batches_equal_one_by_one(self) -> bool:
        """Every number of every item is the same in a batch and alone, within 1e-5 of its size."""
        singles = [self.probe.part([index]).measure(self.backend) for index in range(len(self.probe.rows))]
        return same_numbers(self.measured, pd.concat(singles), TOLERANCE)

    def damage_shows(self) -> bool:
        """Growing noise on the weights is growing forgetting, starting from none. The model is left as it was."""
        sign = 1.0 if self.probe.higher_is_better else -1.0
        scores = [self.probe.scores(columns(self.measured), columns(frame)) for frame in self._damaged()]
        return _grows(sign * (old - new) for old, new in scores)

    def damage_moves_values(self) -> bool:
        """Growing noise on the weights moves the items' own values further and further: for scores that are ranks of them."""
        before = self.measured["value"]
        return _grows(float((frame["value"] - before).abs().mean()) for frame in self._damaged())

    def _damaged(self) -> Iterator[pd.DataFrame]:
        """The items measured under growing noise."""
        for strength in DAMAGE:
            with damaged(self.model, strength):
                yield self.probe.measure(self.backend)


def _grows(changes: Iterable[float]) -> bool:
    return all(less < more for less, more in pairwise([0.0, *changes]))


@torch.inference_mode()
def losses_ahead(probe: Probe, model: nn.Module, places: Sequence[int]) -> list[float]:
    """Nats per token of predicting the token so many places after the last one read, text by text, nothing padded."""
    device = next(model.parameters()).device
    nats, count = np.zeros(len(places)), np.zeros(len(places))
    for row in probe.rows:
        ids = torch.tensor(probe.encoding.ids(row["text"])[: probe.encoding.max_length], device=device)
        logits = model(input_ids=ids[None]).logits[0].float()
        for i, ahead in enumerate(places):
            nats[i] += nn.functional.cross_entropy(logits[: len(ids) - ahead], ids[ahead:], reduction="sum").item()
            count[i] += len(ids) - ahead
    return [float(loss) for loss in nats / count]


@contextmanager
def damaged(model: nn.Module, strength: float) -> Iterator[None]:
    """Noise on the weight matrices of the model's first block, the same direction for every strength; undone on leaving."""
    matrices = [p for p in layers(model)[0].parameters() if p.dim() > 1 and p.is_floating_point()]
    kept = [matrix.detach().clone() for matrix in matrices]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for matrix in matrices:
            noise = torch.randn(matrix.shape, generator=generator).to(matrix)
            matrix.add_(noise * matrix.std() * strength)
    try:
        yield
    finally:
        with torch.no_grad():
            for matrix, original in zip(matrices, kept, strict=True):
                matrix.copy_(original)


def same_numbers(first: pd.DataFrame, second: pd.DataFrame, tolerance: float) -> bool:
    """Whether two measurements of the same items agree in every number, entries of vectors among them.

    The tolerance is relative to the number, or to the largest entry of its vector, and absolute below 1.
    """
    texts = [name for name in first if isinstance(first[name].iloc[0], str)]
    for name in first.columns.difference(texts):
        a, b = (np.stack([np.atleast_1d(value).astype(float) for value in frame[name]]) for frame in (first, second))
        size = 1 + np.nan_to_num(np.abs(b)).max(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):  # infinity minus itself
            near = np.abs(a - b) <= tolerance * size
        if not np.all(near | (a == b) | (np.isnan(a) & np.isnan(b))):
            return False
    return True


def all_tests(probe: Probe, model: nn.Module) -> dict[str, bool]:
    """Each self-test that applies to the probe's kind, and whether it holds on the model."""
    tests = SelfTests(probe, model)
    held = {
        "untouched model forgets nothing": tests.untouched_forgets_nothing(),
        "batches equal one by one": tests.batches_equal_one_by_one(),
    }
    if isinstance(probe, LmLoss) and tests.knows_language:
        held["shifted labels are worse"] = tests.shifted_labels_are_worse()
        held["growing damage shows"] = tests.damage_shows()
    if isinstance(probe, Similarity):
        held["growing damage shows"] = tests.damage_moves_values()
    if isinstance(probe, MultipleChoice):
        held["shuffled gold is chance"] = tests.shuffled_gold_is_chance()
    return held


def few(probe: P, items: int = ITEMS) -> P:
    """The probe on its first items."""
    return probe.part(range(min(items, len(probe.rows))))

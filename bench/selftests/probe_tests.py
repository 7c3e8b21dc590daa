"""Do the probes catch their own mistakes? Each test measures a few items of a probe in a second way, and answers yes or no.

They read the model in fp32, also where its weights are kept in 16 bit, and without autocast: rounding to 8 or 16 bit depends on
the batch, and equal results are asked for.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch import nn

from bench.data.sources import SourceRow
from bench.errors import UserError
from bench.inference.backend import Backend
from bench.inference.local import LocalBackend
from bench.modeling.structure import layers
from bench.modeling.upcast import InFp32
from bench.modeling.weights import full_tensor, shape, write_weight
from bench.probes.base import Probe, columns
from bench.probes.linear_probe import LinearProbe
from bench.probes.lm_loss import LmLoss
from bench.probes.multiple_choice import MultipleChoice
from bench.probes.similarity import Similarity
from bench.selftests.plain_items import plain_items, plain_others, plain_score
from bench.selftests.plain_reader import PlainReader
from bench.tasks.encoding import Encoding

ITEMS = 8
TOLERANCE = 1e-5
PLAIN_ITEMS = 3
"""Items that are read a second time one by one, and so many again at the first of these lengths that holds their answers."""
PLAIN_TOLERANCE = 1e-4
CUT_LENGTHS = (16, 32, 64, 128)
FITTED = 48
"""Training rows of a linear probe that is read one by one."""
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
LEAST_SPREAD = 1e-3
"""Below which no matrix's standard deviation is taken to be."""


class AnswerTests:
    """A probe's first items on one model, measured once; each test is a second look at them, by what the model answers."""

    def __init__(self, probe: Probe, backend: Backend) -> None:
        self.probe, self.backend = probe.movable().first(ITEMS), backend
        self.measured = self.probe.measure(backend)

    def untouched_forgets_nothing(self) -> bool:
        """Measured again, the same model has lost exactly nothing."""
        old, new = self.probe.scores(columns(self.measured), columns(self.probe.measure(self.backend)))
        return old == new

    def batches_equal_one_by_one(self) -> bool:
        """Every number of every item is the same in a batch and alone, within 1e-5 of its size."""
        singles = [self.probe.part([index]).measure(self.backend) for index in range(len(self.probe.rows))]
        return same_numbers(self.measured, pd.concat(singles), TOLERANCE)

    def shuffled_gold_is_chance(self) -> bool:
        """With gold choices drawn at random, many times, the accuracy is that of guessing."""
        from scipy.stats import binom  # half a second that only probes with choices need

        shuffled = copy(self.probe)
        generator = np.random.default_rng(0)
        rows = self.probe.rows * SHUFFLES
        shuffled.rows = [SourceRow({**row, "gold": str(generator.integers(len(row["choices"])))}, row.place) for row in rows]
        chance = float(np.mean([1 / len(row["choices"]) for row in rows]))
        low, high = binom.interval(CERTAIN, len(rows), chance)
        return bool(low <= shuffled.measure(self.backend)["right"].sum() <= high)


class SelfTests(AnswerTests):
    """Those, and second looks into the model itself."""

    def __init__(self, probe: Probe, model: nn.Module) -> None:
        # Without a device: in fp32 and in one process, as equal results are asked for.
        super().__init__(probe, LocalBackend(model, probe.encoding.model))
        self.model = model

    @property
    def score(self) -> float:
        return self.probe.score(columns(self.measured))

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

    def plain_reading_agrees(self) -> bool:
        """Items read one by one, by code apart from the probe's and the batches', have the same numbers."""
        return plainly_agrees(self._plain, self.backend, PlainReader(self.model, self.probe.encoding.model))

    def plain_reading_agrees_when_cut(self) -> bool:
        """So they have where the model reads so little that texts are cut, or split into windows."""
        for length in (length for length in CUT_LENGTHS if length < self.probe.encoding.max_length):
            short = copy(self._plain)
            short.encoding = Encoding(self.probe.encoding.model, length)
            try:
                return plainly_agrees(short, self.backend, PlainReader(self.model, self.probe.encoding.model))
            except UserError:  # an answer is longer than that
                continue
        return True

    @property
    def _plain(self) -> Probe:
        part = self.probe.first(PLAIN_ITEMS)
        if isinstance(part, LinearProbe):
            # Two of unlike classes first: a class may be rare, and a classifier needs two.
            other = next(place for place, row in enumerate(part.train) if row["gold"] != part.train[0]["gold"])
            part.train = [part.train[place] for place in sorted({*range(FITTED), other}) if place < len(part.train)]
        return part

    def score_agrees(self) -> bool:
        """The score, and what stands beside it, are those of the definition, before and after damage."""
        before, after = columns(self.measured), columns(self._broken)
        scores = [self.probe.scores(before, after), *self.probe.others(before, after).values()]
        expected = [plain_score(self.probe, before, after), *plain_others(self.probe, before, after)]
        return len(scores) == len(expected) and np.allclose(scores, expected, rtol=PLAIN_TOLERANCE, atol=PLAIN_TOLERANCE)

    def damage_moves_numbers(self) -> bool:
        """With noise on the model's weights every number of every item is another, but for what can only be right or wrong."""
        return numbers_differ(self.measured, self._broken)

    @cached_property
    def _broken(self) -> pd.DataFrame:
        return self._under(DAMAGE[-1])

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
        for strength in DAMAGE[:-1]:
            yield self._under(strength)
        yield self._broken

    def _under(self, strength: float) -> pd.DataFrame:
        with damaged(self.model, strength):
            return self.probe.measure(self.backend)


def _grows(changes: Iterable[float]) -> bool:
    return all(less < more for less, more in pairwise([0.0, *changes]))


@torch.no_grad()
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


def damaged(model: nn.Module, strength: float) -> AbstractContextManager[None]:
    """Noise on the weight matrices of the model's first block."""
    return noise([p for p in layers(model)[0].parameters() if len(shape(p)) > 1 and p.is_floating_point()], strength)


@contextmanager
def noise(matrices: Sequence[nn.Parameter], strength: float) -> Iterator[None]:
    """Noise on weight matrices, the same direction for every strength; undone on leaving."""
    kept = [full_tensor(matrix).clone() for matrix in matrices]
    generator = torch.Generator().manual_seed(0)
    for matrix, original in zip(matrices, kept, strict=True):
        drawn = torch.randn(original.shape, generator=generator).to(original)
        # A matrix that is still zero, as a fresh adapter's second one, has no spread of its own.
        write_weight(matrix, original + drawn * original.std().clamp(min=LEAST_SPREAD) * strength)
    try:
        yield
    finally:
        for matrix, original in zip(matrices, kept, strict=True):
            write_weight(matrix, original)


def same_numbers(first: pd.DataFrame, second: pd.DataFrame, tolerance: float, nats: float = 0.0) -> bool:
    """Whether two measurements of the same items agree in every number, entries of vectors among them.

    The tolerance is relative to the number, or to the largest entry of its vector, and absolute below 1. A value that is the
    difference of two log-likelihoods can be as far off as these are, and has their size. A log-likelihood may be off by `nats`,
    however small it is: it is a sum over tokens.
    """
    # Some items may belong to no cluster, and the first may be one of them.
    texts = [name for name in first if any(isinstance(value, str) for value in first[name])]
    likelihoods = [name for name in first if str(name).endswith("_nats")]
    for name in first.columns.difference(texts):
        a, b = (np.stack([np.atleast_1d(value).astype(float) for value in frame[name]]) for frame in (first, second))
        size = 1 + np.nan_to_num(np.abs(b)).max(axis=1, keepdims=True)
        if name == "value" and likelihoods:
            size = size + second[likelihoods].abs().to_numpy()
        least = nats if name == "value" or name in likelihoods else 0.0
        with np.errstate(invalid="ignore"):  # infinity minus itself
            near = np.abs(a - b) <= np.maximum(tolerance * size, least)
        if not np.all(near | (a == b) | (np.isnan(a) & np.isnan(b))):
            return False
    return True


def numbers_differ(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether no item has the same numbers in both: its `value`, or its vectors where it has none."""
    names = [name for name in first if name == "value" or isinstance(first[name].iloc[0], list | np.ndarray)]
    pairs = [(np.stack([np.atleast_1d(v) for v in frame[name]]) for frame in (first, second)) for name in names]
    same = [np.all((a == b) | (np.isnan(a) & np.isnan(b)), axis=1) for a, b in pairs]
    return not np.any(np.all(same, axis=0))


def plainly_agrees(probe: Probe, backend: Backend, reader: PlainReader) -> bool:
    """Whether `measure` gives the numbers of a plain reading."""
    measured = probe.measure(backend)
    plain = pd.DataFrame(plain_items(probe, reader))
    return plain.empty or plain_numbers_agree(measured, plain, PLAIN_TOLERANCE)


def plain_numbers_agree(measured: pd.DataFrame, plain: pd.DataFrame, tolerance: float, nats: float = 0.0) -> bool:
    """Whether the measured items have all that the plain ones have: texts as they are, numbers within the tolerance, and
    log-likelihoods within so many nats."""
    texts = [name for name in plain if isinstance(plain[name].iloc[0], str)]
    alike = all(measured[name].tolist() == plain[name].tolist() for name in texts)
    return alike and same_numbers(plain, measured[list(plain)], tolerance, nats)


def answer_results(tests: AnswerTests) -> dict[str, bool]:
    """Each self-test that a probe's answers alone can show, and whether it holds."""
    results = {
        "untouched model forgets nothing": tests.untouched_forgets_nothing(),
        "batches equal one by one": tests.batches_equal_one_by_one(),
    }
    if isinstance(tests.probe, MultipleChoice):
        results["shuffled gold is chance"] = tests.shuffled_gold_is_chance()
    return results


def all_tests(probe: Probe, model: nn.Module) -> dict[str, bool]:
    """Each self-test that applies to the probe's kind, and whether it holds on the model."""
    kept_in_16_bit = any(weight.dtype in (torch.bfloat16, torch.float16) for weight in model.parameters())
    with InFp32() if kept_in_16_bit else nullcontext():
        return _test_results(SelfTests(probe, model))


def _test_results(tests: SelfTests) -> dict[str, bool]:
    probe = tests.probe
    results = answer_results(tests) | {
        "plain reading agrees": tests.plain_reading_agrees(),
        "plain reading agrees where texts are cut": tests.plain_reading_agrees_when_cut(),
        "score agrees": tests.score_agrees(),
        "damage moves numbers": tests.damage_moves_numbers(),
    }
    if isinstance(probe, LmLoss) and tests.knows_language:
        results["shifted labels are worse"] = tests.shifted_labels_are_worse()
        results["growing damage shows"] = tests.damage_shows()
    if isinstance(probe, Similarity):
        results["growing damage shows"] = tests.damage_moves_values()
    return results

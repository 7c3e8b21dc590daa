"""What a run's model answers after training, and the base model before: the task, other tasks and domains, and the probes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import pandas as pd
from torch import nn

from bench import probes
from bench.devices.device import Device
from bench.inference.endpoint import Endpoint
from bench.inference.predictions import Asked, predict
from bench.probes import Probe
from bench.probes.selftests import few
from bench.progress import Progress
from bench.running import base_scores
from bench.running.run import Run
from bench.specs.task import TaskSpec
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding

EVAL_TOKENS = 2048
"""Bound of a padded batch on one device; memory depends on it, results only in rounding."""
VALIDATION_ITEMS = 128
"""The first of the validation split; whoever asks on the way asks the same."""
FIRST_ITEMS = 4
"""Of each probe, on which a fresh adapter is tried, and the model of a row that trains nothing."""

Bases = Callable[[int], nn.Module]
"""The base model whose weights have so many bits, loaded when it is asked for."""


@dataclass(frozen=True)
class Answers:
    """Of one model: on the task's test set, on other tasks and domains, per probe, and under single wordings."""

    task: pd.DataFrame
    elsewhere: dict[str, pd.DataFrame]
    probes: dict[str, pd.DataFrame]
    paraphrases: tuple[pd.DataFrame, ...] = ()
    unrounded: dict[str, pd.DataFrame] = field(default_factory=dict)
    """Of a base in 8 or 4 bit: the probes' answers before it was rounded to that."""
    seconds: float = 0.0
    """What asking took, all of it."""
    probe_seconds: float = 0.0
    """What the probes took of it."""


@dataclass(frozen=True)
class Baseline:
    """What the base model answers to all that a run which trains is held against; measured before training, when the base can
    still be in memory."""

    before: Answers
    first_items: dict[str, pd.DataFrame]
    """The probes' first items, asked together: in 8 bit rounding depends on the batch."""
    on_the_way: pd.DataFrame | None
    """Validation items, where a curve is measured."""
    stages: list[pd.DataFrame]
    """Each stage's test set, where there are several stages."""


class Questions:
    """All that a run asks of a model; data is read and probes are encoded once."""

    def __init__(self, run: Run, device: Device, progress: Progress) -> None:
        self.run, self.device, self.progress = run, device, progress
        self.encoding = Encoding(run.model, run.max_length)
        self.task = self._asked(run.task, run.test_items)
        """The test set as the base model is asked: plainly, and without a head."""
        self.own = self.as_trained(self.task)
        self.on_the_way = replace(self.own, split="validation", items=VALIDATION_ITEMS)
        """What a run is asked before it ends, test data being read once."""

    @property
    def stages(self) -> list[Asked]:
        """The test sets of all that is trained on one after another, as the trained model is asked."""
        return [self.trained(task) for task in (*self.run.earlier, self.run.task)]

    @cached_property
    def probes(self) -> list[Probe]:
        return [probes.probe_class(spec)(spec, self.encoding, limit, EVAL_TOKENS) for spec, limit in self.run.probes]

    @cached_property
    def elsewhere(self) -> dict[str, Asked]:
        """What else the trained model is asked: the task's sets from other domains, other tasks that were trained on, and
        those that were not, in zero-shot form."""
        if not self.run.strategy.trains:
            return {}
        limit = self.run.other_items
        domains = {name: replace(self._asked(self.run.task, limit), split=name) for name in self.run.task.out_of_domain}
        trained = {task.name: self._asked(task, limit) for task in self.run.trained[1:]}
        untrained = {task.name: self._asked(task, limit) for task in self.run.also}
        return {name: self.as_trained(asked) for name, asked in (domains | trained).items()} | untrained

    def after(self, model: nn.Module | Endpoint) -> Answers:
        """The run's model, asked in the words in which it was trained."""
        started = time.perf_counter()
        self.progress.phase("test set")
        task = predict(model, self.own)
        elsewhere = {name: predict(model, asked) for name, asked in self.elsewhere.items()}
        single = replace(self.own, items=self.run.paraphrase_items)
        paraphrases = tuple(predict(model, replace(single, paraphrase=number)) for number in self._paraphrases())
        self.progress.phase("probes")
        asked = time.perf_counter()
        # A row that trains nothing has the base model, whose answers are kept: a few are enough to see that it is the same.
        items = None if self.run.strategy.trains else FIRST_ITEMS
        found = {} if isinstance(model, Endpoint) else self.probed(model, items)
        ended = time.perf_counter()
        return Answers(task, elsewhere, found, paraphrases, seconds=ended - started, probe_seconds=ended - asked)

    def before(self, bases: Bases, known: Answers | None = None) -> Answers:
        """The base's answers from the cache, from what a row that trains nothing has just been asked, or measured now."""
        if known and self.run.strategy.wording == self.task.wording:
            base_scores.predictions(self.run, self.task, lambda: known.task)
        bits = self.run.strategy.bits
        return Answers(  # the rounded base last, so that it is loaded once
            task=self.untrained(self.task, bases),
            elsewhere={name: self.untrained(asked, bases) for name, asked in self.elsewhere.items()},
            unrounded=self.base_probes(bases, 32) if bits < 32 else {},
            probes=self.base_probes(bases, bits),
        )

    def baseline(self, bases: Bases) -> Baseline:
        """For a run that trains: training itself needs no base any more."""
        return Baseline(
            on_the_way=self.untrained(self.on_the_way, bases) if self.run.probe_every else None,
            stages=[self.untrained(asked, bases) for asked in self.stages] if self.run.earlier else [],
            before=self.before(bases),
            first_items=self.base_probes(bases, self.run.strategy.bits, items=FIRST_ITEMS),
        )

    def untrained(self, asked: Asked, bases: Bases) -> pd.DataFrame:
        """The base model's answers to the same examples, plainly asked."""
        plainly = replace(asked, wording=Wording(), seed=0, head=None)
        return base_scores.predictions(self.run, plainly, lambda: predict(bases(32), plainly))

    def probed(self, model: nn.Module, items: int | None = None) -> dict[str, pd.DataFrame]:
        """The probes' items, or the first of them; adapters on, in the precision of training."""
        return {probe.spec.name: probe.answers(model, self.device) for probe in self._probes(items)}

    def base_probes(
        self, bases: Bases, bits: int, known: dict[str, pd.DataFrame] | None = None, items: int | None = None
    ) -> dict[str, pd.DataFrame]:
        """The probes' items, or the first of them, of the base whose weights have so many bits: from the cache, from what is
        known, or measured now."""

        def measured(probe: Probe) -> pd.DataFrame:
            return known[probe.spec.name] if known else probe.answers(bases(bits), self.device)

        parts = self._probes(items)
        return {p.spec.name: base_scores.probe_items(self.run, p, bits, partial(measured, p), self.device) for p in parts}

    def as_trained(self, asked: Asked) -> Asked:
        """A question in the strategy's words, to the head that was trained for its task."""
        heads = {task.name: number for number, task in enumerate(self.run.trained)}
        head = heads[asked.task.spec.name] if self.run.strategy.trains else None
        return replace(asked, wording=self.run.strategy.wording, seed=self.run.seed, head=head)

    def trained(self, task: TaskSpec) -> Asked:
        """A task's test set, up to the limit for tasks besides the run's own, as the trained model is asked."""
        return self.as_trained(self._asked(task, self.run.other_items))

    def _probes(self, items: int | None) -> list[Probe]:
        """All probes, whole or on their first items."""
        return self.probes if items is None else [few(probe, items) for probe in self.probes]

    def _asked(self, spec: TaskSpec, items: int | None) -> Asked:
        kind, found = types.task_type(spec), splits.load_splits(spec)
        return Asked(self.encoding, kind, found, Wording(), self.device, EVAL_TOKENS, seed=0, items=items)

    def _paraphrases(self) -> range:
        """Numbers of the unseen instructions that are asked one at a time: where instructions were trained on."""
        instructed = self.run.strategy.trains and self.run.strategy.wording.style == "instruction"
        return range(len(self.run.task.paraphrases("test")) if instructed and self.task.task.asks != "read" else 0)

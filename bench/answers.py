"""What a run's model answers after training, and the base model before: the task, other tasks and domains, and the probes."""

from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd
from torch import nn

from bench import base_scores, data, probes, tasktypes
from bench.devices import Device
from bench.encoding import Encoding
from bench.endpoint import Endpoint
from bench.evaluation import Asked, predict
from bench.plan import Run
from bench.probes import Probe
from bench.progress import Progress
from bench.prompts import Wording
from bench.specs import TaskSpec

EVAL_TOKENS = 2048
"""Bound of a padded batch on one device; memory depends on it, results only in rounding."""


@dataclass(frozen=True)
class Answers:
    """Of one model: on the task's test set, on other tasks and domains, per probe, and under single wordings."""

    task: pd.DataFrame
    elsewhere: dict[str, pd.DataFrame]
    probes: dict[str, pd.DataFrame]
    paraphrases: tuple[pd.DataFrame, ...] = ()


class Questions:
    """All that a run asks of a model; data is read and probes are encoded once."""

    def __init__(self, run: Run, device: Device, progress: Progress) -> None:
        self.run, self.device, self.progress = run, device, progress
        self.encoding = Encoding(run.model, run.max_length)
        self.task = self._plainly(run.task, run.test_items)

    @cached_property
    def probes(self) -> list[Probe]:
        return [probes.load(spec)(spec, self.encoding, limit, EVAL_TOKENS) for spec, limit in self.run.probes]

    @cached_property
    def elsewhere(self) -> dict[str, Asked]:
        """The task's sets from other domains, and the other tasks that were trained on, each with its head."""
        if not self.run.strategy.trains:
            return {}
        domains = {
            name: replace(self._plainly(self.run.task, self.run.other_items), split=name)
            for name in self.run.task.out_of_domain
        }
        tasks = {
            task.name: replace(self._plainly(task, self.run.other_items), head=n) for n, task in enumerate(self.run.others, 1)
        }
        return domains | tasks

    def after(self, model: nn.Module | Endpoint) -> Answers:
        """The run's model, asked in the words in which it was trained."""
        own = self.as_trained(self.task)
        self.progress.phase("test set")
        task = predict(model, own)
        elsewhere = {name: predict(model, self.as_trained(asked)) for name, asked in self.elsewhere.items()}
        paraphrases = tuple(
            predict(model, replace(own, items=self.run.paraphrase_items, paraphrase=n)) for n in self._paraphrases()
        )
        self.progress.phase("probes")
        probed = {} if isinstance(model, Endpoint) else {p.spec.name: p.answers(model, self.device) for p in self.probes}
        return Answers(task, elsewhere, probed, paraphrases)

    def before(self, base: base_scores.LazyModel, known: Answers | None = None) -> Answers:
        """The base's answers from the cache, from what a row that trains nothing has just measured, or measured now."""
        same = known is not None and self.run.strategy.wording == self.task.wording

        def asked(question: Asked) -> pd.DataFrame:
            return base_scores.predictions(self.run, question, lambda: predict(base(), replace(question, head=None)))

        def items(probe: Probe) -> pd.DataFrame:
            return known.probes[probe.spec.name] if known else probe.answers(base(), self.device)

        return Answers(
            base_scores.predictions(self.run, self.task, lambda: known.task) if known and same else asked(self.task),
            {name: asked(question) for name, question in self.elsewhere.items()},
            {p.spec.name: base_scores.probe_items(self.run, p, lambda p=p: items(p), self.device) for p in self.probes},  # type: ignore[misc]
        )

    def as_trained(self, asked: Asked) -> Asked:
        """A question in the strategy's words, to the head that was trained for it."""
        head = (asked.head or 0) if self.run.strategy.trains else None
        return replace(asked, wording=self.run.strategy.wording, seed=self.run.seed, head=head)

    def _plainly(self, spec: TaskSpec, items: int | None) -> Asked:
        kind, found = tasktypes.load(spec), data.load(spec)
        return Asked(self.encoding, kind, found, Wording(), self.device, EVAL_TOKENS, seed=0, items=items)

    def _paraphrases(self) -> range:
        """Numbers of the unseen instructions that are asked one at a time: where instructions were trained on."""
        instructed = self.run.strategy.trains and self.run.strategy.wording.style == "instruction"
        return range(len(self.run.task.paraphrases("test")) if instructed and self.task.task.asks != "read" else 0)

"""The untouched base model: what it predicts and what it gives to the probes, measured once per content and shared by all runs.

Kept as Parquet in the cache under a hash of everything that determines it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import pandas as pd
from torch import nn
from transformers import AutoModel, AutoModelForCausalLM

from bench import ENGINE_VERSION, folders
from bench.devices.environment import versions
from bench.hashing import code_digest, digest
from bench.inference.backend import Backend
from bench.inference.endpoint_backend import EndpointBackend
from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.inference.predictions import predict
from bench.measuring.evaluation import VALIDATION_ITEMS, Session, as_base
from bench.measuring.scoring import worth
from bench.modeling.forward import unlaunched
from bench.modeling.sharding import placed, release
from bench.probes import Probe
from bench.runs.fingerprints import probe_fingerprint, task_fingerprint
from bench.runs.kept_answers import cached_frame
from bench.runs.run import Run
from bench.selftests.probe_tests import all_tests
from bench.specs.wording import Style, Wording

ANSWERS_VERSION = 12
"""Raised where a change to the code rounds a base's answers otherwise and no run's result: an untouched model, asked now, must
forget exactly nothing."""
FIRST_ITEMS = 4
"""Of each probe, on which a fresh adapter is tried, and the model of a row that trains nothing."""


TESTED = ("data", "inference", "modeling", "probes", "selftests", "specs", "statistics", "tasks", "tokens")
"""Rooms of bench/ through which a probe's question goes, and the self-tests'."""


@dataclass(frozen=True)
class Rounding:
    """How a base's numbers are rounded: the bits of a weight, and whether the forward pass is cast to bf16."""

    bits: int
    cast: bool


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


def wording_choice(run: Run, evalset: EvalSet) -> EvalSet | None:
    """The validation items of the set's task on which the base's wordings are compared; None where there is one wording.

    Not the test items: the better of two numbers on the same items is more often lucky than the other.
    """
    task = evalset.task
    # A text is read as it is, and without instructions there is one wording.
    if len(run.base_wordings) == 1 or task.asks == "read" or not task.spec.instructions:
        return None
    items = VALIDATION_ITEMS if task.spec.name == run.task.name else min(VALIDATION_ITEMS, run.other_items)
    return replace(evalset, split="validation", items=items, paraphrase=None)


class Untouched:
    """The base model of a session, loaded when the first thing has to be measured: not at all when all is in the cache."""

    def __init__(self, session: Session) -> None:
        self.session, self.run, self.device = session, session.run, session.device
        self._rounding: Rounding | None = None
        self._backend: Backend | None = None

    @property
    def own_rounding(self) -> Rounding:
        """Of the model that the user had before: in its reference precision."""
        return Rounding(self.run.model.reference_bits, cast=False)

    @property
    def training_rounding(self) -> Rounding:
        """Of the model that is trained, before its first step."""
        return Rounding(self.run.strategy.bits, cast=self.device.precision != "fp32")

    def backend(self, rounding: Rounding | None = None) -> Backend:
        """The base, in its reference precision where nothing else is said; one at a time is in memory."""
        rounding = rounding or self.own_rounding
        if self._backend is None or self._rounding != rounding:
            self.forget()
            self._backend, self._rounding = self._loaded(rounding), rounding
        return self._backend

    def module(self) -> nn.Module:
        """The base's own module in its reference precision, for what looks inside: self-tests, sizes."""
        backend = self.backend()
        assert isinstance(backend, LocalBackend), f"'{self.run.model.name}' has no weights on this machine"
        return unlaunched(backend.module)

    def forget(self) -> None:
        """Free the memory; the next one that asks loads anew."""
        self._backend = None
        release(self.device.accelerator)

    def results(self) -> BaseResults:
        """All that a run which trains is held against. Afterwards training needs no base any more.

        The rounded base comes last, so that each of the two is loaded once.
        """
        run, sets, probes = self.run, self.session.sets, self.session.probes
        own, in_training = self.own_rounding, self.training_rounding
        return BaseResults(
            validation=self.predictions(sets.validation) if run.probe_every else None,
            stages=[self.predictions(evalset) for evalset in sets.stages],
            test=self.answers(sets.test),
            elsewhere={name: self.answers(evalset) for name, evalset in sets.elsewhere.items()},
            probes=self.probe_items(probes, own),
            rounded=self.probe_items(probes, in_training) if in_training != own else {},
            first_items=self.probe_items([probe.first(FIRST_ITEMS) for probe in probes], in_training),
        )

    def answers(self, evalset: EvalSet, known: pd.DataFrame | None = None) -> BaseAnswers:
        """In the same words and in the best; `known` as for `predictions`."""
        best = self.best_wording(evalset)
        return BaseAnswers(self.predictions(evalset, known), self.predictions(replace(evalset, wording=best)), best.style)

    def best_wording(self, evalset: EvalSet) -> Wording:
        """That of the base's wordings which scores best on validation items of the set's task; of equals the first."""
        wordings, validation = self.run.base_wordings, wording_choice(self.run, evalset)
        if validation is None:
            return wordings[0]
        metric = validation.task.spec.metrics[0]
        return max(wordings, key=lambda w: worth(self.predictions(replace(validation, wording=w)), metric))

    def predictions(self, evalset: EvalSet, known: pd.DataFrame | None = None) -> pd.DataFrame:
        """On the same examples in the same words; `known` where a row that is the base has just been asked them."""
        base_set = as_base(evalset, self.run.in_base_words(evalset.wording))
        question: dict[str, object] = {
            "task": task_fingerprint(base_set.task.spec),
            "split": base_set.split,
            "items": base_set.items,
            "wording": asdict(base_set.wording),
        }
        return self._cached(question, lambda: predict(self.backend(), base_set) if known is None else known)

    def probe_items(
        self, probes: Sequence[Probe], rounding: Rounding | None = None, known: dict[str, pd.DataFrame] | None = None
    ) -> dict[str, pd.DataFrame]:
        """Each probe's items, of the base in its reference precision or rounded otherwise; `known` as for `predictions`."""
        rounded = rounding or self.own_rounding

        def measured(probe: Probe) -> pd.DataFrame:
            return known[probe.spec.name] if known else probe.measure(self.backend(rounded))

        return {p.spec.name: self._cached({**_probe_question(p), **asdict(rounded)}, partial(measured, p)) for p in probes}

    def self_tests(self) -> dict[str, bool]:
        """Self-test of each probe -> whether it holds, on the untouched base, for the code as it is: what has changed is tested
        anew, though the answers that are kept stay."""
        outcomes: dict[str, bool] = {}
        for probe in self.session.probes:
            question = {**_probe_question(probe), "what": "selftests", "code": _tested_code()}
            tests = self._cached(question, partial(self._tested, probe))
            outcomes |= {
                f"{probe.spec.name}: {test}": bool(holds) for test, holds in zip(tests["name"], tests["held"], strict=True)
            }
        return outcomes

    def _tested(self, probe: Probe) -> pd.DataFrame:
        outcomes = all_tests(probe, self.module())
        return pd.DataFrame({"name": list(outcomes), "held": list(outcomes.values())})

    def _loaded(self, rounding: Rounding) -> Backend:
        run, device = self.run, self.device
        if run.model.checkpoint is None:
            return EndpointBackend(run.model.endpoint, device, self.session.progress.say)
        self.session.progress.phase("base model")
        auto = AutoModelForCausalLM if run.model.family == "decoder" else AutoModel
        module: nn.Module = run.model.load(auto, rounding.bits, device.torch)
        # Accelerate widens all that could be trained to fp32 where FSDP2 computes in bf16, and would ask another base.
        module.requires_grad_(False)
        return self.session.backend(placed(module.eval(), device.accelerator), rounding.cast)

    def _cached(self, question: dict[str, object], measure: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """From the cache, or measured now and put there."""
        path = folders.cache() / "base" / f"{digest({**self._answered_by(), **question})}.parquet"
        return cached_frame(path, self.device, measure)

    def _answered_by(self) -> dict[str, object]:
        """What the answers hang on beside the question: the model, and everything between which rounding differs."""
        model, device = self.run.model, self.device.describe()
        return {
            "engine": ENGINE_VERSION,
            "answers": ANSWERS_VERSION,
            "model": model.content_hash,
            "trust_remote_code": model.trust_remote_code,  # a folder's own code may be another class on the same weights
            "reference": asdict(self.own_rounding),
            "max_length": self.run.max_length,
            **model.conventions,
            # An untouched model must forget exactly nothing; how much memory the machine has does not enter its numbers, and
            # the precision of training only where it is asked for.
            "device": {name: value for name, value in device.items() if name not in ("memory_bytes", "platform", "precision")},
            "versions": versions(),
        }


@cache
def _tested_code() -> str:
    """A hash of the code whose faults the self-tests would find, and of their own."""
    bench = Path(__file__).parent.parent
    return code_digest(path for room in TESTED for path in sorted((bench / room).rglob("*.py")))


def _probe_question(probe: Probe) -> dict[str, object]:
    return {"probe": probe_fingerprint(probe.spec), "items": len(probe.rows)}

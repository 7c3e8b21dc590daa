"""The untouched base model: what it predicts and what it gives to the probes, measured once per content and shared by all runs.

Kept as Parquet in the cache under a hash of everything that determines it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from torch import nn
from transformers import AutoModel, AutoModelForCausalLM

from bench import ENGINE_VERSION, folders
from bench.devices.environment import versions
from bench.hashing import digest
from bench.inference.backend import Backend
from bench.inference.endpoint import EndpointBackend, EndpointModel
from bench.inference.local import LocalBackend
from bench.inference.predictions import EvalSet, predict
from bench.probes import Probe
from bench.probes.selftests import all_tests, few
from bench.running.evaluation import Session, as_base
from bench.running.run import probe_fingerprint, task_fingerprint

FIRST_ITEMS = 4
"""Of each probe, on which a fresh adapter is tried, and the model of a row that trains nothing."""


@dataclass(frozen=True)
class Baseline:
    """What the base model gives to all that a run is held against."""

    test: pd.DataFrame
    elsewhere: dict[str, pd.DataFrame] = field(default_factory=dict)
    probes: dict[str, pd.DataFrame] = field(default_factory=dict)
    """Of the base in the precision of training."""
    unrounded: dict[str, pd.DataFrame] = field(default_factory=dict)
    """Of a base in 8 or 4 bit: what it gave before it was rounded to that."""
    first_items: dict[str, pd.DataFrame] = field(default_factory=dict)
    """The probes' first items, asked together: in 8 bit rounding depends on the batch."""
    validation: pd.DataFrame | None = None
    """Where a curve is measured."""
    stages: list[pd.DataFrame] = field(default_factory=list)
    """Each stage's test set, where there are several stages."""


class Reference:
    """The base model of a session, loaded when the first thing has to be measured: not at all when all is in the cache."""

    def __init__(self, session: Session) -> None:
        self.session, self.run, self.device = session, session.run, session.device
        self._bits: int | None = None
        self._backend: Backend | None = None

    def backend(self, bits: int = 32) -> Backend:
        """The base whose weights have so many bits; one at a time is in memory."""
        if self._backend is None or self._bits != bits:
            self.forget()
            self._backend, self._bits = self._loaded(bits), bits
        return self._backend

    def module(self) -> nn.Module:
        """The base's own module in fp32, for what looks inside: self-tests, sizes."""
        backend = self.backend()
        assert isinstance(backend, LocalBackend), f"'{self.run.model.name}' has no weights on this machine"
        return backend.module

    def forget(self) -> None:
        """Free the memory; the next one that asks loads anew."""
        self._backend = None

    def baseline(self) -> Baseline:
        """All that a run which trains is held against. Afterwards training needs no base any more.

        The rounded base comes last, so that each of the two is loaded once.
        """
        run, sets, probes = self.run, self.session.sets, self.session.probes
        bits = run.strategy.bits
        return Baseline(
            validation=self.predictions(sets.validation) if run.probe_every else None,
            stages=[self.predictions(evalset) for evalset in sets.stages],
            test=self.predictions(sets.test),
            elsewhere={name: self.predictions(evalset) for name, evalset in sets.elsewhere.items()},
            unrounded=self.probe_items(probes, 32) if bits < 32 else {},
            probes=self.probe_items(probes, bits),
            first_items=self.probe_items([few(probe, FIRST_ITEMS) for probe in probes], bits),
        )

    def predictions(self, evalset: EvalSet, known: pd.DataFrame | None = None) -> pd.DataFrame:
        """On the same examples, as the base is asked; `known` where a row that is the base has just been asked them."""
        asked = as_base(self.run, evalset)
        question: dict[str, object] = {
            "task": task_fingerprint(asked.task.spec),
            "split": asked.split,
            "items": asked.items,
            "wording": asdict(asked.wording),
        }
        return self._kept(question, lambda: predict(self.backend(), asked) if known is None else known)

    def probe_items(
        self, probes: Sequence[Probe], bits: int = 32, known: dict[str, pd.DataFrame] | None = None
    ) -> dict[str, pd.DataFrame]:
        """Each probe's items, of the base whose weights have so many bits; `known` as for `predictions`."""

        def measured(probe: Probe) -> pd.DataFrame:
            return known[probe.spec.name] if known else probe.measure(self.backend(bits))

        return {p.spec.name: self._kept({**_question(p), "bits": bits}, partial(measured, p)) for p in probes}

    def self_tests(self) -> dict[str, bool]:
        """Self-test of each probe -> whether it holds, on the untouched base in fp32."""
        held: dict[str, bool] = {}
        for probe in self.session.probes:
            kept = self._kept({**_question(probe), "what": "selftests"}, partial(self._tested, probe))
            held |= {f"{probe.spec.name}: {name}": bool(held) for name, held in zip(kept["name"], kept["held"], strict=True)}
        return held

    def _tested(self, probe: Probe) -> pd.DataFrame:
        held = all_tests(probe, self.module())
        return pd.DataFrame({"name": list(held), "held": list(held.values())})

    def _loaded(self, bits: int) -> Backend:
        run, device = self.run, self.device
        if isinstance(run.model, EndpointModel):
            return EndpointBackend(run.model.endpoint, device)
        self.session.progress.phase("base model")
        auto = AutoModelForCausalLM if run.model.family == "decoder" else AutoModel
        module: nn.Module = run.model.load(auto, bits, device.torch)
        return self.session.backend(module.to(device.torch).eval())

    def _kept(self, question: dict[str, object], measure: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """From the cache, or measured now and put there."""
        path = folders.cache() / "base" / f"{digest({**self._answered_by(), **question})}.parquet"
        if self.device.agreed(path.exists()):
            return pd.read_parquet(path).map(lambda value: value.tolist() if isinstance(value, np.ndarray) else value)
        frame = measure()
        if self.device.main:
            with folders.writing(path) as temporary:
                frame.to_parquet(temporary, index=False)
        return frame

    def _answered_by(self) -> dict[str, object]:
        """What the answers hang on beside the question: the model, and everything between which rounding differs."""
        model, device = self.run.model, self.device.describe()
        return {
            "engine": ENGINE_VERSION,
            "model": model.content_hash,
            "trust_remote_code": model.trust_remote_code,  # a folder's own code may be another class on the same weights
            "max_length": self.run.max_length,
            # An untouched model must forget exactly nothing; how much memory the machine has does not enter its numbers.
            "device": {name: value for name, value in device.items() if name not in ("memory_bytes", "platform")},
            "versions": versions(),
        }


def _question(probe: Probe) -> dict[str, object]:
    return {"probe": probe_fingerprint(probe.spec), "items": len(probe.rows)}

"""What base models have answered, kept as Parquet in the cache under a hash of everything that determines it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import TypeVar

import pandas as pd

from bench import ENGINE_VERSION, folders
from bench.devices.device import Device
from bench.devices.environment import versions
from bench.devices.hardware import instruction_sets
from bench.hashing import digest
from bench.inference.evalset import EvalSet
from bench.measuring.in_hand import InHandError, alone
from bench.measuring.rounding import Rounding
from bench.probes import Probe
from bench.progress import Progress
from bench.runs.fingerprints import probe_fingerprint, task_fingerprint
from bench.runs.kept_answers import cached_frame
from bench.runs.run import Run

AskedFor = TypeVar("AskedFor")

ANSWERS_VERSION = 15
"""Raised where a change to the code rounds a base's answers otherwise and no run's result: an untouched model, asked now, must
forget exactly nothing."""


class KeptBase:
    """The answers of a run's base model: each is measured once per content, and shared by all runs.

    Of several processes that want the same answers at the same time, one measures them.
    """

    def __init__(self, run: Run, device: Device, progress: Progress) -> None:
        self.run, self.device, self.progress = run, device, progress
        self._waits = True

    def in_any_order(self, asks: Mapping[str, Callable[[], AskedFor]]) -> dict[str, AskedFor]:
        """What each of these gives, by its name. Those of which another process is measuring something now come last, so that
        several that begin together share the work."""
        found, waits = dict[str, AskedFor](), self._waits
        self._waits = False
        try:
            for name, ask in asks.items():
                with suppress(InHandError):
                    found[name] = ask()
        finally:
            self._waits = waits
        return {name: found[name] if name in found else ask() for name, ask in asks.items()}

    def of_set(self, base_set: EvalSet, measure: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """To a set's examples, in the set's words; from the cache, or measured now and put there."""
        question = {
            "task": task_fingerprint(base_set.task.spec),
            "split": base_set.split,
            "items": base_set.items,
            "wording": asdict(base_set.wording),
        }
        return self._kept(question, measure)

    def of_probe(self, probe: Probe, asked_as: Mapping[str, object], measure: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Of a probe's items; `asked_as` names what else determines it, beside the probe and the model."""
        return self._kept({"probe": probe_fingerprint(probe.spec), "items": len(probe.rows), **asked_as}, measure)

    def _kept(self, question: Mapping[str, object], measure: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        path = folders.cache() / "base" / f"{digest({**self._answered_by(), **question})}.parquet"
        with alone(path, self.device, self._say_waiting if self._waits else None):
            return cached_frame(path, self.device, measure)

    def _say_waiting(self) -> None:
        self.progress.phase("waiting for another process to ask the base")

    def _answered_by(self) -> dict[str, object]:
        """What the answers hang on beside the question: the model, and everything between which rounding differs."""
        model, device = self.run.model, self.device.describe()
        return {
            "engine": ENGINE_VERSION,
            "answers": ANSWERS_VERSION,
            "model": model.content_hash,
            "trust_remote_code": model.trust_remote_code,  # a folder's own code may be another class on the same weights
            "reference": asdict(Rounding.of_reference(self.run)),
            "max_length": self.run.max_length,
            **model.conventions,
            # An untouched model must forget exactly nothing; how much memory the machine has does not enter its numbers, and
            # the precision of training only where it is asked for.
            "device": {name: value for name, value in device.items() if name not in ("memory_bytes", "platform", "precision")},
            "instructions": instruction_sets(),
            "versions": versions(),
        }

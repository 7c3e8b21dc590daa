"""What the untouched base model can do: its zero-shot answers and its probe items, measured once per content and shared.

Kept as Parquet in the cache under a hash of everything that determines them.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from torch import nn

from bench import ENGINE_VERSION, folders
from bench.devices.device import Device
from bench.devices.environment import versions
from bench.hashing import digest
from bench.inference.predictions import Asked
from bench.probes import Probe
from bench.running.run import Run, probe_fingerprint, task_fingerprint

Measure = Callable[[], pd.DataFrame]


def predictions(run: Run, asked: Asked, measure: Measure) -> pd.DataFrame:
    """Zero-shot predictions on a split of a task."""
    question = {"task": task_fingerprint(asked.task.spec), "split": asked.split, "test_items": asked.items}
    return _kept({**_common(run, asked.device), **question}, measure, asked.device)


def probe_items(run: Run, probe: Probe, bits: int, measure: Measure, device: Device) -> pd.DataFrame:
    return _kept({**_common(run, device), **_of_probe(probe), "bits": bits}, measure, device)


def selftests(run: Run, probe: Probe, test: Callable[[], dict[str, bool]], device: Device) -> dict[str, bool]:
    """Self-test -> whether it holds, of a probe on the untouched model."""
    kept = _kept({**_common(run, device), **_of_probe(probe), "what": "selftests"}, lambda: _table(test()), device)
    return dict(zip(kept["name"], map(bool, kept["held"]), strict=True))


def _table(held: dict[str, bool]) -> pd.DataFrame:
    return pd.DataFrame({"name": list(held), "held": list(held.values())})


def _of_probe(probe: Probe) -> dict[str, object]:
    return {"probe": probe_fingerprint(probe.spec), "items": len(probe.rows)}


def _common(run: Run, device: Device) -> dict[str, object]:
    return {
        "engine": ENGINE_VERSION,
        "model": run.model.content_hash,
        "precision": device.precision,
        "trust_remote_code": run.model.trust_remote_code,  # a folder's own code may be another class on the same weights
        "max_length": run.max_length,
        # Rounding differs between these, and an untouched model must forget exactly nothing.
        "device": device.describe(),
        "versions": versions(),
    }


def _kept(key: dict[str, object], measure: Measure, device: Device) -> pd.DataFrame:
    path = folders.cache() / "base" / f"{digest(key)}.parquet"
    if device.agreed(path.exists()):
        return pd.read_parquet(path).map(lambda value: value.tolist() if isinstance(value, np.ndarray) else value)
    frame = measure()
    if device.main:
        with folders.writing(path) as temporary:
            frame.to_parquet(temporary, index=False)
    return frame


class LazyModels:
    """The base model by the bits of its weights, one at a time, loaded when the first thing asks for it: not at all when
    everything is in the cache."""

    def __init__(self, load: Callable[[int], nn.Module]) -> None:
        self._load = load
        self._bits: int | None = None
        self._model: nn.Module | None = None

    def __call__(self, bits: int) -> nn.Module:
        if self._model is None or self._bits != bits:
            self.forget()
            self._model, self._bits = self._load(bits), bits
        return self._model

    def forget(self) -> None:
        """Free the memory; the next call loads anew."""
        self._model = None

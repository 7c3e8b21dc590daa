"""Where a suite's numbers come from: software, machines, models, data, hyper-parameters and runs, each said once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.records.record import Record
from reports.rows import numbers
from reports.rows.rows import Row, flat

T = TypeVar("T")


@dataclass(frozen=True)
class Setup:
    """Versions or a device, and how many of the runs had them."""

    facts: dict[str, str]
    runs: int


@dataclass(frozen=True)
class Model:
    name: str
    hash: str
    remote_code: bool


@dataclass(frozen=True)
class Data:
    """A task's data: sizes of the splits, and rows that were removed."""

    task: str
    hash: str
    counts: dict[str, str]


@dataclass(frozen=True)
class Settings:
    """A row's hyper-parameters."""

    row: Row
    budget: str
    trials: int
    facts: dict[str, str]


@dataclass(frozen=True)
class Stopping:
    """The validation scores that early stopping saw, as the metric gives them, and the place of the one that was kept."""

    scores: list[str]
    kept: int


@dataclass(frozen=True)
class Provenance:
    versions: list[Setup]
    devices: list[Setup]
    models: list[Model]
    data: list[Data]
    engines: list[int]
    settings: list[Settings]
    runs: list[Record]
    stopped: dict[str, Stopping]
    """By id of the run."""


def gather(rows: Sequence[Row]) -> Provenance:
    """The provenance of one suite's rows."""
    runs = [record for row in rows for record in row.records]
    known = [(run, run.provenance) for run in runs if run.provenance]
    return Provenance(
        versions=_setups(run.versions for run in runs),
        devices=_setups(run.device for run in runs),
        models=_distinct(Model(run.model, source.model_hash, source.trust_remote_code) for run, source in known),
        data=_distinct(Data(run.task, source.data_hash, _counts(source.data)) for run, source in known),
        engines=sorted({source.engine_version for _, source in known}),
        settings=[_settings(row) for row in rows],
        runs=runs,
        stopped={run.run_id: found for run in runs if (found := stopping(run))},
    )


def stopping(run: Record) -> Stopping | None:
    """None where nothing was validated. Records hold validation scores signed so that higher is better."""
    if not run.validation or run.score is None:
        return None
    sign = 1.0 if run.score.higher_is_better else -1.0
    scores = [numbers.level(sign * value, numbers.measure(run.score)) for value in run.validation]
    return Stopping(scores, run.validation.index(max(run.validation)))


def _settings(row: Row) -> Settings:
    return Settings(row, _budget(row), row.first.tuning.trials, _texts(flat(row.first.hyperparameters)))


def _budget(row: Row) -> str:
    """What the row might spend in training: nothing, if it trains nothing."""
    return row.first.budget if row.trains or row.cost is None else "none"


def _setups(found: Iterable[dict[str, Any]]) -> list[Setup]:
    """Distinct facts, the most frequent first."""
    counts: dict[str, int] = {}
    for facts in found:
        key = json.dumps(_texts(facts), sort_keys=True)
        counts[key] = counts.get(key, 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Setup(json.loads(key), runs) for key, runs in ordered]


def _texts(facts: dict[str, Any]) -> dict[str, str]:
    """Facts as text, without the empty name that no hyper-parameters at all flatten to."""
    return {name: str(value) for name, value in facts.items() if name}


def _counts(counts: dict[str, int]) -> dict[str, str]:
    return {name.replace("_", " "): f"{count:,}" for name, count in counts.items()}


def _distinct(found: Iterable[T]) -> list[T]:
    kept: list[T] = []
    for each in found:
        if each not in kept:
            kept.append(each)
    return kept

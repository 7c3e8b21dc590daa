"""Where a suite's numbers come from: software, machines, models, data, hyper-parameters and runs, each said once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.records.record import Record
from reports.rows.numbers import MISSING
from reports.rows.row import Row
from reports.rows.rows import flat
from reports.rows.stopping import Stopping, stopping

_T = TypeVar("_T")


@dataclass(frozen=True)
class SharedFacts:
    """Versions or a device, and how many of the runs had them."""

    facts: dict[str, str]
    runs: int


@dataclass(frozen=True)
class UsedModel:
    name: str
    hash: str
    remote_code: bool


@dataclass(frozen=True)
class UsedData:
    """A task's data: sizes of the splits, and rows that were removed."""

    task: str
    hash: str
    counts: dict[str, str]


@dataclass(frozen=True)
class RowSettings:
    """A row's hyper-parameters."""

    row: Row
    budget: str
    trials: str
    facts: dict[str, str]


@dataclass(frozen=True)
class Origins:
    versions: list[SharedFacts]
    devices: list[SharedFacts]
    models: list[UsedModel]
    data: list[UsedData]
    engines: list[int]
    settings: list[RowSettings]
    runs: list[Record]
    environments: int
    """In how many the runs were made, as far as their records know."""
    stopped: dict[str, Stopping]
    """By id of the run."""


def gather(rows: Sequence[Row]) -> Origins:
    """The provenance of one suite's rows."""
    runs = [record for row in rows for record in row.records]
    return Origins(
        versions=_shared(run.provenance.versions for run in runs),
        devices=_shared(run.provenance.device for run in runs),
        models=_distinct(model for run in runs if (model := _model(run))),
        data=_distinct(data for run in runs if (data := _data(run))),
        engines=sorted({number for run in runs if (number := run.provenance.engine_version) is not None}),
        settings=[_settings(row) for row in rows],
        runs=runs,
        environments=len({run.provenance.environment_id for run in runs} - {None}),
        stopped={run.run_id: stopped for run in runs if (stopped := stopping(run))},
    )


def _model(run: Record) -> UsedModel | None:
    """None where the run did not come so far as to know its model's content."""
    source = run.provenance
    return UsedModel(run.setup.model, source.model_hash, source.trust_remote_code) if source.model_hash else None


def _data(run: Record) -> UsedData | None:
    """None where the run did not come so far as to read its data."""
    source = run.provenance
    return UsedData(run.setup.task, source.data_hash, _counts(run.trust.data)) if source.data_hash else None


def _settings(row: Row) -> RowSettings:
    trials = row.setup.tuning.trials
    return RowSettings(row, _budget(row), MISSING if trials is None else str(trials), _texts(flat(row.setup.hyperparameters)))


def _budget(row: Row) -> str:
    """What the row might spend in training: nothing, if it trains nothing."""
    nothing_trained = row.cost is not None and row.cost.train_examples == 0
    return "none" if nothing_trained else row.setup.budget or MISSING


def _shared(setups: Iterable[dict[str, Any]]) -> list[SharedFacts]:
    """Distinct facts, the most frequent first."""
    counts: dict[str, int] = {}
    for facts in setups:
        key = json.dumps(_texts(facts), sort_keys=True)
        counts[key] = counts.get(key, 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [SharedFacts(json.loads(key), runs) for key, runs in ordered]


def _texts(facts: dict[str, Any]) -> dict[str, str]:
    """Facts as text, without the empty name that no hyper-parameters at all flatten to."""
    return {name: str(value) for name, value in facts.items() if name}


def _counts(counts: dict[str, int]) -> dict[str, str]:
    return {name.replace("_", " "): f"{count:,}" for name, count in counts.items()}


def _distinct(items: Iterable[_T]) -> list[_T]:
    kept: list[_T] = []
    for each in items:
        if each not in kept:
            kept.append(each)
    return kept

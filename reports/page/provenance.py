"""Where a suite's numbers come from: software, machines, models, data, each said once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.records.record import Record
from reports.rows.row import Row

_Fact = TypeVar("_Fact")


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
class Origins:
    versions: list[SharedFacts]
    devices: list[SharedFacts]
    models: list[UsedModel]
    data: list[UsedData]
    engines: list[int]


def gather(rows: Sequence[Row]) -> Origins:
    """The provenance of one suite's rows."""
    runs = [record for row in rows for record in row.records]
    return Origins(
        versions=_shared_facts(run.provenance.versions for run in runs),
        devices=_shared_facts(run.provenance.device for run in runs),
        models=_distinct_facts(model for run in runs if (model := _used_model(run))),
        data=_distinct_facts(data for run in runs if (data := _used_data(run))),
        engines=sorted({number for run in runs if (number := run.provenance.engine_version) is not None}),
    )


def _used_model(run: Record) -> UsedModel | None:
    """None where the run did not come so far as to know its model's content."""
    source = run.provenance
    return UsedModel(run.setup.model, source.model_hash, source.trust_remote_code) if source.model_hash else None


def _used_data(run: Record) -> UsedData | None:
    """None where the run did not come so far as to read its data."""
    source = run.provenance
    return UsedData(run.setup.task, source.data_hash, _written_counts(run.trust.data)) if source.data_hash else None


def _shared_facts(setups: Iterable[dict[str, Any]]) -> list[SharedFacts]:
    """Distinct facts, the most frequent first."""
    counts: dict[str, int] = {}
    for facts in setups:
        key = json.dumps(as_texts(facts), sort_keys=True)
        counts[key] = counts.get(key, 0) + 1
    # Of equal counts the order is that of the texts, so that the same rows give the same bytes.
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [SharedFacts(json.loads(key), runs) for key, runs in ordered]


def as_texts(facts: Mapping[str, Any]) -> dict[str, str]:
    """Facts as text, without the empty name that no hyper-parameters at all flatten to."""
    return {name: str(value) for name, value in facts.items() if name}


def _written_counts(counts: dict[str, int]) -> dict[str, str]:
    return {name.replace("_", " "): f"{count:,}" for name, count in counts.items()}


def _distinct_facts(items: Iterable[_Fact]) -> list[_Fact]:
    kept: list[_Fact] = []
    for each in items:
        # UsedData holds a dict and has no hash, so that a set could not take it.
        if each not in kept:
            kept.append(each)
    return kept

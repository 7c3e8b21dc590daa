"""Runs of one comparison that were made in different environments, or by an older engine: which, and in what these differ.

A record that knows neither, because it was made before that was recorded, says nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import ENGINE_VERSION
from bench.groups import groups_by
from bench.records.environment_difference import differing
from bench.records.record import Record
from reports.rows.row import Row
from reports.rows.rows import grouped


@dataclass(frozen=True)
class OtherEnvironment:
    """Runs of one row, made in another environment than most of the runs that they are compared with."""

    row: Row
    seeds: tuple[int, ...]
    """Those of the runs; empty where they are all of the row's."""
    differs: Mapping[str, tuple[str, str]]
    """What differs -> its value here, and in most of the others."""

    @property
    def sentence(self) -> str:
        """`full (seed 1): made in another environment: torch 2.12.0 instead of 2.13.0`"""
        seeds = f" (seed {', '.join(map(str, self.seeds))})" if self.seeds else ""
        differences = ", ".join(f"{name} {here} instead of {there}" for name, (here, there) in self.differs.items())
        differences = differences or "its record does not say in what it differs"
        return f"{self.row.label}{seeds}: made in another environment: {differences}"


@dataclass(frozen=True)
class OlderEngine:
    """A row whose numbers meant other things when they were made."""

    row: Row
    version: int

    @property
    def sentence(self) -> str:
        """`full: made by engine 4, some of whose numbers meant something else; run it again with engine 5`"""
        reason = f"made by engine {self.version}, some of whose numbers meant something else"
        return f"{self.row.label}: {reason}; run it again with engine {ENGINE_VERSION}"


def other_environments(rows: Sequence[Row]) -> list[OtherEnvironment | OlderEngine]:
    """Of each suite, model and task, what was not made where most of its runs were; of equals, the first is most. And what was
    made by an older engine."""
    others = [other for group in grouped(rows).values() for other in _others_of_group(group)]
    return [*others, *(OlderEngine(row, number) for row in rows if (number := _oldest_engine(row)) < ENGINE_VERSION)]


def one_machine(*rows: Row) -> bool:
    """Whether all runs of the rows were made on one device, as far as their records tell."""
    # Seconds and memory hang on all that a device says of itself: cores, threads, processes.
    devices = [run.provenance.device for row in rows for run in row.records]
    return all(device == devices[0] for device in devices)


def _others_of_group(rows: Sequence[Row]) -> list[OtherEnvironment]:
    recorded_runs = [run for row in rows for run in row.records if run.provenance.environment_id]
    if not recorded_runs:
        return []
    # A Counter keeps the order in which it met its keys, so that equal counts always give the same answer.
    ((usual, _),) = Counter(run.provenance.environment_id for run in recorded_runs).most_common(1)
    # All of one id hold the same, so that any of them says in what others differ.
    reference = next(run.provenance.environment for run in recorded_runs if run.provenance.environment_id == usual)
    return [other for row in rows for other in _others_of_row(row, usual, reference)]


def _others_of_row(row: Row, usual: str | None, reference: Mapping[str, str]) -> list[OtherEnvironment]:
    strange = [run for run in row.records if run.provenance.environment_id and run.provenance.environment_id != usual]
    return [
        OtherEnvironment(row, _seeds_if_not_all(runs, row), differing(runs[0].provenance.environment, reference))
        for runs in groups_by(strange, lambda run: run.provenance.environment_id).values()
    ]


def _oldest_engine(row: Row) -> int:
    """Of the engines that made the row's runs; the present one where no record knows."""
    engines = (run.provenance.engine_version for run in row.records)
    return min((number for number in engines if number is not None), default=ENGINE_VERSION)


def _seeds_if_not_all(runs: Sequence[Record], row: Row) -> tuple[int, ...]:
    return tuple(run.setup.seed for run in runs) if len(runs) < len(row.records) else ()

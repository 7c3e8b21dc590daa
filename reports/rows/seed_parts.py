"""How far each part of a seed moves a score: records of `--vary` by what was trained, and whole seeds beside them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.groups import groups_by
from bench.records.outcome import SeedPart
from bench.records.record import SEED_PARTS, Record, Seeds
from bench.statistics.deviations import NO_DEVIATION, Deviation, Share, deviation, shares
from reports.rows.numbers import Quantity, quantity_of
from reports.rows.rows import determinants, variants


@dataclass(frozen=True)
class Moved:
    """What one part of the seed, or the whole seed, does to a score."""

    part: SeedPart | None
    """None: all parts together."""
    scores: tuple[float, ...]
    """One for each seed."""
    deviation: Deviation | None
    """None where fewer than two seeds have a score."""
    share: Share | None = None
    """Of the sum of the parts' variances."""
    empty: bool = False
    """Whether the part draws no random numbers, so that it moves nothing."""


@dataclass(frozen=True)
class SeedParts:
    """A strategy on a task, and what moves its score."""

    records: tuple[Record, ...]
    """That with all parts at 0 first."""
    parts: tuple[Moved, ...]
    whole: Moved | None
    """Where there are ordinary records of several seeds that asked the same question."""
    variant: str = ""

    @property
    def group(self) -> tuple[str, str, str]:
        setup = self.records[0].setup
        return setup.suite, setup.model, setup.task

    @property
    def label(self) -> str:
        strategy = self.records[0].setup.strategy
        return f"{strategy} ({self.variant})" if self.variant else strategy

    @property
    def quantity(self) -> Quantity | None:
        """What the score is; None where no run has one."""
        return next((quantity_of(record.outcome.score) for record in self.records if record.outcome), None)

    @property
    def items(self) -> int:
        return next((record.outcome.score.n for record in self.records if record.outcome), 0)

    @property
    def unscored(self) -> list[Record]:
        return [record for record in self.records if record.status != "ok"]


def seed_parts(varied: Sequence[Record], ordinary: Sequence[Record]) -> dict[tuple[str, str, str], list[SeedParts]]:
    """By suite, model and task, in the order of their names.

    Args:
        varied: records of `--vary`, in which one part of the seed is moved.
        ordinary: records in which all parts have the seed.
    """
    together = _by_question(ordinary)
    strategies = [_parts_of_strategy(records, together.get(key, [])) for key, records in _by_question(varied).items()]
    labelled = sorted(_with_part_variants(strategies), key=lambda each: (each.group, each.label))
    return groups_by(labelled, lambda each: each.group)


def _by_question(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records that differ in nothing but their seeds, in the order of these."""
    return groups_by(sorted(records, key=_seed_order), _question_key)


def _question_key(record: Record) -> str:
    setup = record.setup
    # Else each seed of `--vary` would be a question of its own.
    inputs = {name: value for name, value in determinants(record).items() if not name.startswith("seeds.")}
    return json.dumps([setup.suite, setup.model, setup.task, setup.strategy, inputs])


def _seed_order(record: Record) -> tuple[Any, ...]:
    seeds = _seeds_by_part(record)
    return *(getattr(seeds, part) for part in SEED_PARTS), record.setup.seed, record.run_id


def _seeds_by_part(record: Record) -> Seeds:
    return record.setup.seeds or Seeds()


def _parts_of_strategy(records: list[Record], ordinary: list[Record]) -> SeedParts:
    # Records come in the order of their seeds, so that the one with all parts at 0 can only be first.
    first = records[0] if _seeds_by_part(records[0]).varied is None else None
    drew = first.outcome.drew if first and first.outcome else None
    moved = list(_moved_parts(records, [first] if first else [], drew))
    with_deviation = [each for each in moved if each.deviation is not None]
    parts = shares([each.deviation for each in with_deviation if each.deviation])
    # Where no score scatters there are no shares at all.
    shared = {each.part: share for each, share in zip(with_deviation, parts, strict=bool(parts))}
    whole = _scores_of_runs(ordinary)
    return SeedParts(
        tuple(records),
        tuple(replace(each, share=shared.get(each.part)) for each in moved),
        Moved(None, whole, deviation(whole)) if len(whole) > 1 else None,
    )


def _moved_parts(records: Sequence[Record], first: Sequence[Record], drew: Sequence[SeedPart] | None) -> Iterator[Moved]:
    for part in SEED_PARTS:
        own = [record for record in records if _seeds_by_part(record).varied == part]
        # Without the run with all parts at 0 nobody knows what draws, and each part has its own runs.
        if drew is not None and part not in drew:
            yield Moved(part, (), NO_DEVIATION, empty=True)
        elif own:
            scores = _scores_of_runs([*first, *own])
            yield Moved(part, scores, deviation(scores) if len(scores) > 1 else None)


def _scores_of_runs(records: Sequence[Record]) -> tuple[float, ...]:
    return tuple(record.outcome.score.value for record in records if record.outcome and record.status == "ok")


def _with_part_variants(strategies: Sequence[SeedParts]) -> Iterator[SeedParts]:
    """With what sets each apart from others of its strategy."""
    for alike in groups_by(strategies, lambda each: (each.group, each.records[0].setup.strategy)).values():
        for each, variant in zip(alike, variants([each.records[0] for each in alike]), strict=True):
            yield replace(each, variant=variant)

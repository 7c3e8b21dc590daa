"""The rows that tables and pages show, and their numbers as means over the recomputed numbers of their runs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.records.record import Record
from reports.audit.reading import Numbers
from reports.audit.reading import Path as Place
from reports.rows.row import Row
from reports.rows.rows import aggregate


@dataclass(frozen=True)
class ShownRow:
    """A row of a table: its runs, and its numbers by their places in a record's outcome."""

    label: str
    runs: Sequence[Record]
    numbers: Numbers


def shown_rows(records: Sequence[Record], out: Path) -> Iterator[ShownRow]:
    """Rows with a score."""
    for row in aggregate(records, out):
        if row.score is not None:
            label = f"row {' / '.join(row.group)} / {row.label} (seeds {row.seeds})"
            yield ShownRow(label, row.records, dict(_numbers(row)))


def mean_numbers(runs: Sequence[Numbers], wanted: Mapping[Place, float]) -> Numbers:
    """The mean over runs of each number that is wanted and that each run has."""
    return {place: math.fsum(run[place] for run in runs) / len(runs) for place in wanted if all(place in run for run in runs)}


def _numbers(row: Row) -> Iterator[tuple[Place, float]]:
    assert row.score is not None
    yield ("score", "value"), row.score.value
    if row.gain is not None:
        yield ("gain", "value"), row.gain.value
    if row.over_best is not None:
        yield ("best_base", "gain", "value"), row.over_best.value
    for name, metric in row.metrics.items():
        yield ("metrics", name, "value"), metric.value.value
    for name, away in row.elsewhere.items():
        yield ("elsewhere", name, "score", "value"), away.score.value
        yield ("elsewhere", name, "gain", "value"), away.gain.value
        if away.over_best is not None:
            yield ("elsewhere", name, "best_base", "gain", "value"), away.over_best.value
    for words, score in row.wordings.scores.items() if row.wordings else ():
        yield ("robustness", "scores", words, "value"), score.value
    for name, forgotten in row.forgetting.items():
        if forgotten.before is not None and forgotten.after is not None:
            yield ("forgetting", name, "before"), forgotten.before
            yield ("forgetting", name, "after"), forgotten.after
        yield ("forgetting", name, "delta"), forgotten.lost.value
        for other, pair in forgotten.others.items():
            yield ("forgetting", name, "others", other, "before"), pair.before
            yield ("forgetting", name, "others", other, "after"), pair.after
    if row.relative_forgetting is not None:
        yield ("relative_forgetting",), row.relative_forgetting
    if row.stages:
        yield from ((("stages", name), getattr(row.stages, name)) for name in MEASURES)


MEASURES = ("backward_transfer", "forward_transfer", "forgetting")

"""Answers that need no model as rows of their own: what a model must rise above."""

from collections.abc import Sequence

from bench.records.outcome import Outcome, Score
from bench.records.record import Record
from bench.statistics.estimates import Estimate
from reports.rows.row import Row

NO_MODEL = "no model"


def without_model(rows: Sequence[Row]) -> list[Row]:
    """A row for each reference answer of each suite's task, with a score alone; the items are the same for all rows."""
    reference_rows: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        for name, score in (row.outcome.references if row.outcome else {}).items():
            reference_rows.setdefault((row.setup.suite, row.setup.task, name), _reference_row(row.first, name, score))
    return list(reference_rows.values())


def _reference_row(record: Record, name: str, score: Score) -> Row:
    setup = record.setup.model_copy(update={"model": NO_MODEL, "strategy": name, "budget": ""})
    # No inputs: such an answer has no seed either.
    provenance = record.provenance.model_copy(update={"inputs": {"task": record.provenance.inputs.get("task")}})
    # Nothing else of the run that it stands beside is true of it, its cost least of all.
    parts = {"setup": setup, "provenance": provenance, "outcome": Outcome(score=score), "cost": None}
    estimate = Estimate(score.value, score.ci_low, score.ci_high, "items", 1)
    return Row((record.model_copy(update=parts),), score=estimate)

"""Each run by itself, as the page's section of it shows: its configuration, where it comes from, its course, its warnings."""

from collections.abc import Iterator, Sequence

import numpy as np

from bench.records.contract import Json
from bench.records.record import Record
from reports.boards.page_json import rounded
from reports.page.provenance import as_texts
from reports.rows import numbers
from reports.rows.early_stopping import stopping
from reports.rows.fairness import overrun
from reports.rows.numbers import in_unit, quantity_of
from reports.rows.row import Row
from reports.rows.rows import flat

DRAWN = 40
"""Losses of a run that are drawn; of more, means of neighbours."""


class SharedOrigins:
    """Software, devices and data, each set of facts once."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.facts: list[Json] = []

    def place(self, run: Record) -> int:
        source = run.provenance
        known = {
            "model": source.model_hash,
            "data": source.data_hash,
            "engine": source.engine_version,
            "environment": source.environment_id,
            **source.device,
            **source.versions,
        }
        facts = as_texts({name: value for name, value in known.items() if value is not None})
        # Thousands of runs share a few machines, and each is written once.
        key = repr(sorted(facts.items()))
        if key not in self.known:
            self.known[key] = len(self.facts)
            self.facts.append(facts)
        return self.known[key]


def runs_of(rows: Sequence[Row]) -> Json:
    """`runs` in the order of the ranking's lines, `origins` that they share, and `settings` of each line."""
    origins = SharedOrigins()
    runs = [_run_entry(run, number, origins) for number, row in enumerate(rows) for run in row.records]
    return {
        "runs": runs,
        "origins": origins.facts,
        "settings": [as_texts(flat(row.setup.hyperparameters)) for row in rows],
    }


def _run_entry(run: Record, line: int, origins: SharedOrigins) -> Json:
    outcome, source = run.outcome, run.provenance
    entry: Json = {
        "id": run.run_id,
        "line": line,
        "seed": run.setup.seed,
        "status": run.status,
        "started": source.started,
        "origin": origins.place(run),
        "warnings": list(_run_warnings(run)),
    }
    if outcome:
        quantity = quantity_of(outcome.score)
        entry["score"] = rounded(in_unit(outcome.score.value, quantity))
        entry["shown"] = numbers.level(outcome.score.value, quantity)
        entry["losses"] = _thinned_losses(outcome.losses)
    if stopped := stopping(run):
        entry["validation"] = " ".join(stopped.scores)
        entry["kept"] = stopped.scores[stopped.kept]
    if run.spending:
        entry["spent"] = {name: [limit.spent, limit.limit] for name, limit in run.spending.limits.items()}
        entry["ended"] = run.spending.ended_by
    if run.setup.tuning.tried:
        entry["trials"] = len(run.setup.tuning.tried)
    return entry


def _thinned_losses(losses: Sequence[float]) -> Json | None:
    """Mean losses of neighbouring steps, and how many steps there were."""
    if not losses:
        return None
    parts = np.array_split(np.asarray(losses), min(DRAWN, len(losses)))
    return {"steps": len(losses), "means": [rounded(float(part.mean()), 3) for part in parts]}


def _run_warnings(run: Record) -> Iterator[str]:
    if run.reason:
        yield f"{run.status}: {run.reason}"
    if run.outcome and run.outcome.collapsed:
        yield f"Collapsed: {run.outcome.collapsed}."
    yield from (f"The check {name} does not hold." for name, holds in run.trust.checks.items() if not holds)
    # These sentences begin small, as the fairness of a table puts the row's name before them.
    yield from (f"{excess[0].upper()}{excess[1:]}." for excess in overrun(run))
    for probe, items in run.trust.contamination.items():
        if items:
            yield f"{items:,} items of {probe} share a passage with what was trained on."
    if run.outcome and run.outcome.asked:
        yield f"{run.outcome.asked[0].upper()}{run.outcome.asked[1:]}."
    if run.provenance.trust_remote_code:
        yield "The model ran code from its repository."
    if run.provenance.source:
        yield f"Imported from {run.provenance.source.whose}: {run.provenance.source.file}."

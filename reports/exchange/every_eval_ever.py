"""Rows as files of Every Eval Ever, a common schema for results of evaluations, each checked against the schema itself.

The schema is read from the project's own package at run time (suites/assets.yaml pins it); nothing of it is copied here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.errors import RunError
from bench.records.record import Interval
from bench.records.store import as_text
from bench.statistics.estimates import Estimate
from bench.statistics.intervals import CONFIDENCE
from reports.exchange.hub import measured_by, notes_of
from reports.rows.row import Row

Schema = Mapping[str, Any]
JACKKNIFE = "jackknife"
MADE_WITHOUT_ANSWERS: dict[Interval, str] = {"binomial": "binomial (Wilson)", "standard error": "published standard error"}
"""How imported intervals were made that are no jackknife over the answers per item."""


@dataclass(frozen=True)
class Publisher:
    """Who publishes the results, and of which model; no record knows it."""

    organisation: str
    model_id: str
    relationship: str = "other"
    """Of who measured to who made the model: `first_party`, `third_party`, `collaborative`, `other`."""


def as_every_eval_ever(rows: Sequence[Row], publisher: Publisher, schema: Schema, now: datetime) -> dict[str, Any]:
    """One strategy's rows on all tasks as one evaluation.

    Raises:
        RunError: what was made does not fit the schema, which has changed then.
    """
    setup, stamp = rows[0].setup, str(int(now.timestamp()))
    settings = [_settings_of_row(row) for row in rows]
    # What tasks have of their own, as after a search, stands with each result.
    shared = {name: value for name, value in settings[0].items() if all(each.get(name) == value for each in settings)}
    measurers = dict.fromkeys(map(measured_by, rows))
    library = ", ".join(each.name for each in measurers)
    made = {
        "schema_version": str(schema.get("version", "unknown")),
        "evaluation_id": f"{library}-{setup.suite}-{setup.strategy}/{publisher.model_id}/{stamp}",
        "retrieved_timestamp": stamp,
        "source_metadata": {
            "source_name": library,
            "source_type": "evaluation_run",
            "source_organization_name": publisher.organisation,
            "evaluator_relationship": publisher.relationship,
        },
        "eval_library": {"name": library, "version": ", ".join(each.version for each in measurers)},
        "model_info": {
            "name": f"{setup.model} ({', '.join(dict.fromkeys(row.label for row in rows))})",
            "id": publisher.model_id,
            "additional_details": {
                "deployment_type": "self_deployed",
                "model_availability": "unknown",
                **_values_as_text({"strategy": setup.strategy, **shared}),
            },
        },
        "evaluation_results": [result for row in rows for result in _results_of_row(row)],
    }
    check_schema(made, schema)
    return made


def check_schema(made: Mapping[str, Any], schema: Schema) -> None:
    """Raises:
    RunError: it does not fit.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    checks = validator_for(schema, default=Draft202012Validator)(schema)
    if faults := sorted(checks.iter_errors(made), key=lambda fault: list(map(str, fault.path))):
        where = ".".join(map(str, faults[0].path)) or "the file"
        raise RunError(f"the export does not fit the schema of Every Eval Ever ({where}: {faults[0].message[:200]})")


def _results_of_row(row: Row) -> Iterator[dict[str, Any]]:
    """The row's score, and what each probe lost."""
    assert row.score and row.outcome  # rows without a score are not exported
    score = row.outcome.score
    metric = _metric_config(score.name, score.higher_is_better, (0.0, 1.0) if score.share else None)
    yield _result(row, row.setup.task, metric, row.score, score.n)
    for name, part in row.forgetting.items():
        lost = _metric_config(f"forgetting of {part.quantity.name}", False, (-1.0, 1.0) if part.quantity.share else None)
        yield _result(row, name, lost, part.lost, part.items)


def _metric_config(name: str, higher_is_better: bool, ends: tuple[float, float] | None) -> dict[str, Any]:
    # JSON has no number without an end, and the schema takes a word for it.
    low, high = ends or ("-Infinity", "Infinity")
    known = {"metric_name": name, "lower_is_better": not higher_is_better, "score_type": "continuous"}
    return {**known, "min_score": low, "max_score": high}


def _result(row: Row, name: str, metric: dict[str, Any], value: Estimate, items: int | None) -> dict[str, Any]:
    explained = _values_as_text({**_settings_of_row(row), "seeds": row.seeds, "notes": notes_of(row)})
    details: dict[str, Any] = {"score": value.value, "details": explained}
    if value.low is not None and value.high is not None:
        method = _interval_method(row, value)
        interval = {"lower": value.low, "upper": value.high, "confidence_level": CONFIDENCE, "method": method}
        details["uncertainty"] = {"confidence_interval": interval, **({"num_samples": items} if items else {})}
    started = row.first.provenance.started
    return {
        "evaluation_name": name,
        "source_data": {"dataset_name": name, "source_type": "other"},
        **({"evaluation_timestamp": started} if started else {}),
        "metric_config": metric,
        "score_details": details,
    }


def _settings_of_row(row: Row) -> dict[str, Any]:
    """What each task may have of its own, after a search."""
    return {"budget": row.budget or None, **row.setup.hyperparameters}


def _interval_method(row: Row, value: Estimate) -> str:
    """What the interval holds, and what it is made of."""
    scope = {"items": "new items", "bounds": "new items and seeds, by bounds"}.get(value.basis, "new items and other seeds")
    source = row.first.provenance.source
    return f"{scope}, {MADE_WITHOUT_ANSWERS.get(source.interval, JACKKNIFE) if source else JACKKNIFE}"


def _values_as_text(values: Mapping[str, Any]) -> dict[str, str]:
    """All values as text, as the schema has it; what is not known is left out."""
    return {name: as_text(value) for name, value in values.items() if value is not None}

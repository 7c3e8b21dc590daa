"""Exports for Every Eval Ever against the schema of its own package."""

import json
from datetime import UTC, datetime

import pytest

from bench.data import assets
from bench.errors import RunError
from bench.records.record import Import
from reports.exchange.every_eval_ever import Publisher, as_every_eval_ever, check_schema
from reports.rows.rows import aggregate

NOW = datetime(2026, 11, 26, tzinfo=UTC)
US = Publisher("us", "us/our-model", "first_party")


@pytest.fixture(scope="module")
def schema():
    return json.loads(assets.member("every-eval-ever", "every_eval_ever/schemas/eval.schema.json"))


def test_an_export_fits_the_schema(make, out, schema):
    rows = aggregate(make.kept(out, [make.record("full", seed) for seed in range(2)]), out)
    made = as_every_eval_ever(rows, US, schema, NOW)
    assert made["schema_version"] == schema["version"] and made["model_info"]["id"] == "us/our-model"
    score, *probes = made["evaluation_results"]
    assert score["score_details"]["score"] == rows[0].score.value and score["metric_config"]["max_score"] == 1.0
    interval = score["score_details"]["uncertainty"]["confidence_interval"]
    assert (interval["lower"], interval["upper"]) == (rows[0].score.low, rows[0].score.high)
    assert [each["evaluation_name"] for each in probes] == ["wikipedia", "lambada", "arc-easy"]
    assert probes[0]["metric_config"]["min_score"] == "-Infinity" and probes[0]["metric_config"]["lower_is_better"]
    check_schema(json.loads(json.dumps(made, allow_nan=False)), schema)


def test_rows_without_answers_have_no_interval_but_fit(make, schema):
    record, _ = make.record("full")
    bare = make.changed(record, score=record.outcome.score.model_copy(update={"ci_low": None, "ci_high": None}), started=None)
    score = as_every_eval_ever(aggregate([bare]), US, schema, NOW)["evaluation_results"][0]
    assert "uncertainty" not in score["score_details"] and "evaluation_timestamp" not in score


def test_each_result_has_its_task_s_own_settings(make, schema):
    """A search chooses for each task alone; of the model is said what all tasks share."""
    rte = make.record("full", task="rte", budget="64examples", hyperparameters={"rate": 5e-4, "decay": 0}, probes={})[0]
    sst2 = make.record("full", hyperparameters={"rate": 2e-5, "decay": 0}, probes={})[0]
    made = as_every_eval_ever(aggregate([rte, sst2]), US, schema, NOW)
    told = [result["score_details"]["details"] for result in made["evaluation_results"]]
    assert [(each["budget"], each["rate"]) for each in told] == [("64examples", "0.0005"), ("512examples", "2e-05")]
    assert made["model_info"]["additional_details"].keys() & {"strategy", "budget", "rate", "decay"} == {"strategy", "decay"}


@pytest.mark.parametrize(
    ("interval", "method"),
    [
        ("items", "new items, jackknife"),
        ("binomial", "new items, binomial (Wilson)"),
        ("standard error", "new items, published standard error"),
    ],
)
def test_an_imported_interval_says_what_it_is_made_of(make, schema, interval, method):
    source = Import(whose="lm-eval", file="x.json", sha256="0" * 64, interval=interval)
    (row,) = aggregate([make.changed(make.record(probes={})[0], source=source)])
    (score,) = as_every_eval_ever([row], US, schema, NOW)["evaluation_results"]
    assert score["score_details"]["uncertainty"]["confidence_interval"]["method"] == method


def test_what_does_not_fit_is_an_error(make, out, schema):
    rows = aggregate(make.kept(out, [make.record("full")]), out)
    with pytest.raises(RunError, match=r"does not fit the schema of Every Eval Ever \(source_metadata.evaluator_relationship"):
        as_every_eval_ever(rows, Publisher("us", "us/m", "friends"), schema, NOW)
    made = as_every_eval_ever(rows, US, schema, NOW)
    del made["evaluation_results"][0]["metric_config"]["lower_is_better"]
    with pytest.raises(RunError, match="evaluation_results.0.metric_config: 'lower_is_better' is a required property"):
        check_schema(made, schema)


def test_an_import_names_the_program_that_measured_it(make, schema):
    """Planted fault: it said that tunebench had."""
    source = Import(whose="lm-eval", file="x.json", sha256="0" * 64, interval="none")
    record = make.changed(make.record(probes={})[0], source=source, versions={"lm-eval": "0.4.13"})
    made = as_every_eval_ever(aggregate([record]), US, schema, NOW)
    assert made["eval_library"] == {"name": "lm-eval", "version": "0.4.13"}
    assert made["source_metadata"]["source_name"] == "lm-eval" and made["evaluation_id"].startswith("lm-eval-sentiment-")
    assert "tunebench" not in json.dumps(made)


def test_what_trains_nothing_has_no_budget(make, schema):
    rows = aggregate([make.record("zero-shot", trainable=0, probes={}, budget="512examples")[0]])
    (result,) = as_every_eval_ever(rows, US, schema, NOW)["evaluation_results"]
    assert "budget" not in result["score_details"]["details"]

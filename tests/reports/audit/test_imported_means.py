"""An audit of imported answers: their means are recomputed, and a changed number is found."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from bench.records import store
from bench.records.outcome import Outcome, Score
from bench.records.record import Import, Provenance, Record, Setup
from bench.statistics.binomial import wilson
from bench.statistics.detectable import Detectable
from bench.statistics.intervals import of_one_model
from bench.statistics.jackknife import clusters_of
from bench.statistics.probed import of_probe
from reports.audit import table
from reports.audit.findings import audit, summary
from reports.audit.imported_means import answered_means

RIGHT = {"acc": [1.0, 1.0, 0.0, 1.0], "rougeL": [0.5, 0.25, 1.0, 0.0], "nats": [3.0, 1.0, 2.5, 4.0]}


def scored(name, values):
    numbers = pd.Series(values).dropna().to_numpy()[None]
    share = bool(((numbers >= 0) & (numbers <= 1)).all())
    count = numbers.shape[1]
    answered = of_probe("mean", numbers, [1.0] * count, None, clusters_of(None, count))
    low, high = of_one_model(answered, "wilson" if share else "plain")
    return Score(name=name, value=numbers.mean(), ci_low=low, ci_high=high, n=count, higher_is_better=True, share=share)


def imported(score, columns=RIGHT, interval="items", **others):
    """A record of these columns, whose score is the first; `others` are metrics that are no mean of theirs."""
    first = scored(score, columns[score.partition(" (")[0]])
    metrics = {first.name: first} | {name: scored(name, values) for name, values in columns.items() if name not in score}
    metrics |= {name: metrics[name].model_copy(update={"value": value}) for name, value in others.items()}
    setup = Setup(suite="s", model="m", task="t", strategy="x", hyperparameters={}, seed=0, budget=None)
    source = Import(whose="lm-eval", file="x.json", sha256="0" * 64, interval=interval)
    origin = Provenance(versions={}, device={}, inputs={"import": "lm-eval"}, source=source)
    outcome = Outcome(score=metrics[first.name], metrics=metrics)
    record = Record(run_id="one", status="ok", setup=setup, outcome=outcome, provenance=origin)
    answers = {"kind": "task", "name": "t", "item": list("0123"), "target": "a", "answer": "b"}
    return record, pd.DataFrame({**answers, **columns})


def found(out, record, items):
    store.write_record(out, record, items)
    return audit(out, store.read_all(out))


@pytest.mark.parametrize("score", ["acc", "rougeL", "nats", "acc (strict)"])
def test_the_mean_of_the_score_s_column_and_its_interval_agree(tmp_path, score):
    """Planted fault: nothing was recomputed, and it was said that all agreed."""
    findings = found(tmp_path, *imported(score))
    assert findings.clean and findings.checked >= 13  # value, n, share and bounds, thrice
    (*_, last) = summary(findings)
    assert "numbers recomputed, all agree" in last


@pytest.mark.parametrize("name", ["value", "ci_low", "ci_high", "n"])
def test_a_changed_number_is_found(tmp_path, name):
    record, items = imported("rougeL")
    store.write_record(tmp_path, record, items)
    path = store.folder(tmp_path) / "one.json"
    raw = json.loads(path.read_text())
    raw["outcome"]["score"][name] += 1 if name == "n" else 0.001
    path.write_text(json.dumps(raw))
    assert any(wrong.place == ("score", name) for wrong in audit(tmp_path, store.read_all(tmp_path)).differences)


def test_a_length_s_metric_is_of_the_items_of_that_length(tmp_path):
    columns = {"8192": [1.0, 0.5, None, None], "16384": [None, None, 0.0, 1.0]}
    findings = found(tmp_path, *imported("8192", columns))
    assert findings.clean and findings.checked > 0


def test_what_is_made_of_all_items_at_once_is_not_recomputed(tmp_path):
    findings = found(tmp_path, *imported("acc", {"acc": RIGHT["acc"]}, "none", acc=0.6))
    assert findings.clean and findings.checked == 0 and findings.unchecked["score.value"] == 2
    (*_, last) = summary(findings)
    assert last == "no number was recomputed: there are no answers that give one" and "agree" not in " ".join(summary(findings))


def test_metrics_of_another_filter_and_such_as_need_be_no_mean_are_left_out():
    record, items = imported("acc (strict)")
    assert [mean.place for mean in answered_means(record, items)] == [("metrics", "acc (strict)"), ("score",)]
    plain, items = imported("nats")
    assert {mean.place for mean in answered_means(plain, items)} == {("score",), ("metrics", "nats"), ("metrics", "acc")}


def test_a_record_of_ours_has_none():
    record, items = imported("acc")
    ours = record.model_copy(update={"provenance": record.provenance.model_copy(update={"source": None})})
    assert list(answered_means(ours, items)) == []


@pytest.mark.parametrize(("interval", "checked"), [("items", True), ("binomial", True), ("standard error", False)])
def test_the_smallest_difference_of_imported_rows_is_made_again(tmp_path, monkeypatch, interval, checked):
    """From answers, and from counts where there are none; what a file alone says of its bounds can't be."""
    for name, right in (("one", [1.0, 1.0, 0.0, 1.0]), ("two", [1.0, 0.0, 0.0, 1.0])):
        record, items = imported("acc", {"acc": right}, interval)
        record = record.model_copy(update={"run_id": name, "setup": record.setup.model_copy(update={"strategy": name})})
        if interval != "items":
            low, high = wilson(record.outcome.score.value, 4)
            score = record.outcome.score.model_copy(update={"ci_low": low, "ci_high": high})
            record = record.model_copy(update={"outcome": Outcome(score=score, metrics={score.name: score})})
        store.write_record(tmp_path, record, items if interval == "items" else None)
    findings = audit(tmp_path, store.read_all(tmp_path))
    assert findings.clean and bool(findings.unchecked["detectable.value"]) != checked
    real = table.score_standing
    smaller = Detectable(0.1, 0.1, 0.1, 0.0)
    monkeypatch.setattr(table, "score_standing", lambda rows: replace(real(rows), detectable=smaller))
    wrong = {each.place for each in audit(tmp_path, store.read_all(tmp_path)).differences}
    assert (("detectable", "value") in wrong) == checked

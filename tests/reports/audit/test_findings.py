"""The audit of a folder: clean where nothing was touched, and each planted fault found by name."""

import math

import pandas as pd
import pytest
from audited import edited, found, tampered

from bench.records import store
from bench.records.record import Import
from reports.audit.findings import Findings, audit, summary


def test_what_nobody_touched_agrees(results):
    findings = found(results)
    assert findings.clean and findings.largest < 1e-12
    # Scores, metrics, gains and their like of five records, and of the rows that are shown of them.
    assert findings.checked > 1000


def test_what_no_answer_gives_is_listed_by_name(results):
    named = found(results).unchecked
    assert set(named) == {"losses", "cost"} and named["losses"] == 2 * 5
    assert any(line.startswith("not recomputed") and "losses (10)" in line for line in summary(found(results)))


def swapped(items):
    """Two items of the task exchange their gold labels."""
    task = items.index[items["kind"] == "task"]
    gold, said = items.loc[task, "gold"], items.loc[task, "prediction"]
    one = next(i for i in task if gold[i] == "positive" == said[i])
    two = next(i for i in task if gold[i] == "negative" == said[i])
    items.loc[[one, two], "gold"] = ["negative", "positive"]
    return items


def scaled(items, kind, column, factor):
    items.loc[items["kind"] == kind, column] *= factor
    return items


FAULTS = {
    "a changed score": (lambda outcome: outcome["score"].update(value=outcome["score"]["value"] + 1e-8), "score.value"),
    "a gain of the wrong sign": (lambda outcome: outcome["gain"].update(value=-outcome["gain"]["value"]), "gain.value"),
    "a base score": (lambda outcome: outcome.update(base_score=outcome["base_score"] - 0.01), "base_score"),
    "the best base's gain": (lambda outcome: outcome["best_base"]["gain"].update(value=0.5), "best_base.gain.value"),
    "a number of items": (lambda outcome: outcome["score"].update(n=39), "score.n"),
    "another metric": (lambda outcome: outcome["metrics"]["f1_macro"].update(value=0.9), "metrics.f1_macro.value"),
    "which way is better": (
        lambda o: o["metrics"]["accuracy"].update(higher_is_better=False),
        "metrics.accuracy.higher_is_better",
    ),
    "an entity score elsewhere": (
        lambda o: o["elsewhere"]["people"]["metrics"]["entity_f1_strict"].update(value=0.5),
        "elsewhere.people.metrics.entity_f1_strict.value",
    ),
    "malformed answers": (
        lambda o: o["elsewhere"]["questions"]["metrics"]["malformed"].update(value=0.0),
        "elsewhere.questions.metrics.malformed.value",
    ),
    "unfinished answers": (
        lambda o: o["elsewhere"]["questions"]["metrics"]["unfinished"].update(value=0.5),
        "elsewhere.questions.metrics.unfinished.value",
    ),
    "items read in part": (
        lambda o: o["metrics"]["truncated"].update(value=0.5),
        "metrics.truncated.value",
    ),
    "a perplexity": (lambda o: o["elsewhere"]["plots"]["score"].update(value=20.0), "elsewhere.plots.score.value"),
    "a wording": (
        lambda o: o["robustness"]["scores"]["{text}?"].update(value=0.99),
        "robustness.scores.{text}?.value",
    ),
    "forgetting": (lambda o: o["forgetting"]["lambada"].update(delta=0.0), "forgetting.lambada.delta"),
    "forgetting turned round": (
        lambda o: o["forgetting"]["wikipedia"].update(delta=-o["forgetting"]["wikipedia"]["delta"]),
        "forgetting.wikipedia.delta",
    ),
    "a probe's accuracy": (
        lambda o: o["forgetting"]["lambada"]["others"]["accuracy"].update(before=0.99),
        "forgetting.lambada.others.accuracy.before",
    ),
    "rounding": (lambda o: o["forgetting"]["mrpc"]["quantisation"].update(value=0.3), "forgetting.mrpc.quantisation.value"),
    "the end of an interval": (lambda o: o["score"].update(ci_low=o["score"]["ci_low"] - 1e-6), "score.ci_low"),
    "the end of a gain": (lambda o: o["best_base"]["gain"].update(ci_high=0.2), "best_base.gain.ci_high"),
    "the end of a loss": (lambda o: o["forgetting"]["mrpc"].update(ci_low=-0.9), "forgetting.mrpc.ci_low"),
    "lost accuracy": (
        lambda o: o["forgetting"]["lambada"]["accuracy_lost"].update(value=0.5),
        "forgetting.lambada.accuracy_lost.value",
    ),
    "relative forgetting": (lambda outcome: outcome.update(relative_forgetting=1.0), "relative_forgetting"),
    "a stage's score": (lambda o: o["stages"]["scores"][1].__setitem__(0, 0.9), "stages.scores.1.0"),
    "transfer between stages": (lambda o: o["stages"].update(backward_transfer=0.9), "stages.backward_transfer"),
    "a probe left out": (lambda o: o["forgetting"].pop("mrpc"), "forgetting.mrpc.delta"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_record_is_found_by_its_place(out, name):
    change, place = FAULTS[name]
    edited(out, change)
    findings = found(out)
    of_record = [".".join(d.place) for d in findings.differences if d.label == "s / m / sst2 / full / seed 0 (sst20)"]
    assert place in of_record and not findings.clean
    if name != "a probe left out":
        assert of_record == [place]


TAMPERINGS = {
    "a swapped label": (swapped, "score.value"),
    "a dropped item": (lambda items: items.drop(index=items.index[items["kind"] == "task"][3]), "score.n"),
    "an item twice": (lambda items: pd.concat([items, items[items["kind"] == "probe"].tail(1)]), "forgetting.mrpc.n"),
    "nats": (lambda items: scaled(items, "probe", "value", 1 + 1e-7), "forgetting.lambada.after"),
    "weights": (
        lambda items: items.assign(weight=items["weight"].where(items["weight"] == 1, 60.0)),
        "forgetting.wikipedia.before",
    ),
    "the base's answers": (lambda items: items.assign(before=items["prediction"]), "gain.value"),
    "stages in another order": (
        lambda items: items.assign(stage=items["stage"].replace({1: 2, 2: 1})),
        "stages.backward_transfer",
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_fault_in_the_answers_is_found(out, name):
    change, place = TAMPERINGS[name]
    tampered(out, change)
    assert place in {".".join(difference.place) for difference in found(out).differences}


def test_a_record_without_its_answers_is_told(out):
    (store.folder(out) / "sst20.parquet").unlink()
    findings = found(out)
    assert not findings.clean and findings.differences == []
    assert findings.without_items == ["s / m / sst2 / full / seed 0 (sst20)"]
    assert any(line.endswith("nothing of it can be recomputed") for line in summary(findings))


def test_a_column_that_is_missing_is_listed_and_not_guessed(out):
    tampered(out, lambda items: items.drop(columns="rounded_value"))
    findings = found(out)
    assert findings.clean and findings.unchecked["forgetting.quantisation.value"] == 3


def test_a_single_item_ends_no_audit(make, tmp_path):
    """Planted: leaving it out divided by nothing, and no record of the folder was audited."""
    record, items = make.mixture(count=1)
    make.kept(tmp_path, [(record, items), make.alone()])
    assert audit(tmp_path, store.read_all(tmp_path)).checked > 50


def test_a_number_that_is_none_differs():
    findings = Findings()
    findings.compare("x", {("a",): math.nan, ("b",): 1.0}, {("a",): 1.0, ("b",): math.nan})
    assert [difference.place for difference in findings.differences] == [("a",), ("b",)]


def test_large_numbers_are_judged_by_their_size():
    findings = Findings()
    findings.compare("x", {("a",): 1e6 + 1e-4}, {("a",): 1e6})
    assert findings.clean and 0 < findings.largest < 1e-9


def test_an_import_without_answers_is_no_fault(make, tmp_path):
    record, _ = make.record("full")
    source = Import(whose="them", file="a.json", sha256="ab", interval="binomial")
    found = audit(tmp_path, [make.changed(record, source=source)])
    assert found.clean and "imported without answers" in "\n".join(summary(found))
    assert not audit(tmp_path, [record]).clean

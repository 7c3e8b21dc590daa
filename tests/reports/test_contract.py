"""`tunebench results --json` shows the whole record: the flat keys that others rely on, and those that came later."""

import json
import re
from pathlib import Path

import pytest

from bench import cli
from bench.records.outcome import Score

SCORE = {"name", "value", "ci_low", "ci_high", "n", "higher_is_better", "share"}
COST = {
    "train_examples",
    "train_tokens",
    "train_flops",
    "useful_flops",
    "train_seconds",
    "eval_seconds",
    "probe_seconds",
    "peak_memory_bytes",
    "peak_memory_per_process",
    "device_seconds",
    "weight_bytes",
    "trainable_parameters",
    "total_parameters",
    "saved_bytes",
    "money",
    "spared_flops",
    "others_seconds",
}


DOCS = Path(__file__).parents[2] / "docs" / "records.md"


def results(out, capsys) -> list[dict]:
    with pytest.raises(SystemExit) as left:
        cli.main(["results", "--json", "--out", str(out)])
    assert left.value.code == 0
    return json.loads(capsys.readouterr().out)


def test_all_parts_of_a_record_are_there(make, out, capsys):
    record, items = make.wordings(make.mixture(validation=[0.7, 0.8]), {"say {text}": 0.8, "{text}?": 0.9})
    rate = Score(name="malformed", value=0.1, ci_low=0.0, ci_high=0.2, n=200, higher_is_better=False, share=True)
    cost = record.cost.model_copy(update={"money": 0.25})
    record = make.changed(record, metrics={**record.outcome.metrics, "malformed": rate}, cost=cost)
    make.kept(out, [(record, items), (make.failed("few-shot", reason="cannot be shown", status="skipped"), None)])
    skipped, row = sorted(results(out, capsys), key=lambda row: row["strategy"])
    top = "run_id suite model task strategy seed status reason score metrics base_score gain gain_ci_low gain_ci_high elsewhere"
    top += " robustness forgetting checks cost losses validation hyperparameters budget tuning versions device provenance"
    top += " environment_id asked seed_sd rank best_base references collapsed spending overran"
    assert set(top.split()) <= set(row) and set(row) == set(skipped)
    assert set(row["score"]) == set(row["metrics"]["malformed"]) == SCORE and set(row["cost"]) == COST
    assert row["metrics"]["malformed"]["value"] == 0.1 and row["metrics"]["malformed"]["higher_is_better"] is False
    assert set(row["elsewhere"]["rte"]) == {
        "score",
        "metrics",
        "base_score",
        "best_base",
        "gain",
        "gain_ci_low",
        "gain_ci_high",
    }
    assert {words: score["value"] for words, score in row["robustness"]["scores"].items()} == {
        "say {text}": 0.8,
        "{text}?": 0.9,
    }
    for probe in row["forgetting"].values():
        assert {"value_name", "before", "after", "delta", "ci_low", "ci_high", "n"} <= set(probe)
    assert row["validation"] == [0.7, 0.8] and row["cost"]["money"] == 0.25 and "trials" in row["tuning"]
    assert [task["name"] for task in row["provenance"]["inputs"]["others"]] == ["rte"]
    assert (skipped["status"], skipped["reason"], skipped["score"]) == ("skipped", "cannot be shown", None)


def test_seeds_of_a_row_share_its_standard_deviation(make, out, capsys):
    make.kept(
        out, [make.record("full", seed, 0.80 + 0.02 * seed) for seed in range(2)] + [make.record("zero-shot", trainable=0)]
    )
    shown = results(out, capsys)
    assert [row["rank"] for row in shown if row["strategy"] == "full"] == [[1, 2]] * 2
    found = {(row["strategy"], row["seed"]): row["seed_sd"] for row in shown}
    assert found == {("full", 0): pytest.approx(0.02 / 2**0.5), ("full", 1): found["full", 0], ("zero-shot", 0): None}


def test_row_of_an_api_has_no_forgetting(make, out, capsys):
    make.kept(out, [make.record("endpoint", trainable=0, probes={})])
    (row,) = results(out, capsys)
    assert row["forgetting"] == {} and row["elsewhere"] == {} and row["robustness"] is None and row["validation"] == []


def test_the_documentation_says_what_each_key_is(make, out, capsys):
    make.kept(out, [make.record("full")])
    (row,) = results(out, capsys)
    table = DOCS.read_text(encoding="utf-8").split("| key | what it is |\n|---|---|\n")[1].split("\n\n")[0]
    told = {key: line for line in table.splitlines() for key in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert set(told) == set(row)
    assert set(re.findall(r"\w+", told["cost"].split("{")[1].split("}")[0])) == COST
    assert set(re.findall(r"\w+", told["score"].split("{")[1].split("}")[0])) == SCORE

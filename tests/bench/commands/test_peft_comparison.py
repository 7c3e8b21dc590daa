"""The 63 experiments of PEFT's method comparison, imported and ranked by the commands that a user gives.

tests/peft_rows.csv holds facts of PEFT's result files, read there and written down here: its files are not copied. Each row
names the commit at which its file was read. The test writes files in PEFT's structure from them.
"""

import csv
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, norm

ITEMS = 1_319
HERE = Path(__file__).parents[3]
with (HERE / "tests" / "peft_rows.csv").open(encoding="utf-8", newline="") as file:
    FACTS = list(csv.DictReader(file))
DOCS = (HERE / "docs" / "method" / "imports.md").read_text(encoding="utf-8")
PINNED = "52903c83d95bb68cf7f3217b9b6cd528799b24fc"


def in_pefts_structure(facts: dict[str, str]) -> dict:
    return {
        "run_info": {
            "created_at": facts["started"],
            "experiment_name": facts["experiment"],
            "train_config": {
                "model_id": "meta-llama/Llama-3.2-3B",
                "dtype": "bfloat16",
                "max_steps": int(facts["steps"]),
                "seed": 0,
                "optimizer_kwargs": {"lr": float(facts["learning_rate"])},
            },
            "peft_config": {"peft_type": facts["method"]} if facts["method"] else None,
            "error_msg": "",
        },
        "train_info": {
            "accelerator_memory_max": int(facts["memory_bytes"]),
            "train_time": float(facts["seconds"]),
            "file_size": int(facts["file_bytes"]),
            "num_trainable_params": int(facts["trainable"]),
            "num_total_params": int(facts["parameters"]),
            "status": "success",
            "metrics": [
                {"step": 250, "valid accuracy": 0.0, "train samples": 1000},
                {
                    "step": int(facts["steps"]),
                    "test accuracy": float(facts["accuracy"]),
                    "train samples": int(facts["examples"]),
                    "train total tokens": int(facts["tokens"]),
                    "forgetting": float(facts["forgetting"]),
                },
            ],
        },
        "meta_info": {"package_info": {"peft-version": facts["peft"]}, "system_info": {"accelerator": "NVIDIA L40S"}},
    }


def strategy(facts: dict[str, str]) -> str:
    return facts["experiment"].replace("llama-3.2-3B-", "")


@pytest.fixture
def imported(called, tmp_path):
    """The folder that holds the records of all."""
    (tmp_path / "results").mkdir()
    for facts in FACTS:
        name = facts["experiment"].replace("/", "--", 1)
        (tmp_path / "results" / f"{name}.json").write_text(json.dumps(in_pefts_structure(facts)))
    out = tmp_path / "out"
    ended = called("import", "peft-method-comparison", tmp_path / "results", "--out", out)
    assert ended == (0, "63 records imported\n", "")
    return out


def shown_rows(called, out, *options) -> dict[str, dict]:
    status, said, _ = called("results", "--json", "--out", out, *options)
    assert status == 0
    return {row["strategy"]: row for row in json.loads(said)}


def places_by_hand(right: list[int]) -> list[list[int]]:
    """Rank intervals from counts of right answers alone, by scipy's Wilson intervals and Holm's steps one after another."""
    share = np.array(right) / ITEMS
    bounds = [binomtest(count, ITEMS).proportion_ci(method="wilson") for count in right]
    ps = {}
    for pair in itertools.combinations(range(len(right)), 2):
        upper, lower = sorted(pair, key=lambda row: -share[row])
        reach = np.hypot(share[upper] - bounds[upper].low, bounds[lower].high - share[lower])
        ps[upper, lower] = 2 * norm.sf((share[upper] - share[lower]) / reach * norm.isf(0.025))
    places = [[1, len(right)] for _ in right]
    for step, (upper, lower) in enumerate(sorted(ps, key=lambda pair: ps[pair])):
        if ps[upper, lower] * (len(ps) - step) > 0.05:
            break
        places[lower][0] += 1
        places[upper][1] -= 1
    return places


def test_every_fact_is_a_row(called, imported):
    rows = shown_rows(called, imported)
    assert len(rows) == len(FACTS) == 63
    for facts in FACTS:
        row = rows[strategy(facts)]
        assert (row["status"], row["seed"], row["budget"]) == ("ok", 0, f"{facts['steps']}steps")
        assert row["source"]["whose"] == "peft-method-comparison" and row["source"]["interval"] == "binomial"
        assert (row["score"]["value"], row["score"]["n"]) == (float(facts["accuracy"]), ITEMS)
        assert row["forgetting"]["peft-wikipedia"]["delta"] == float(facts["forgetting"])
        cost = row["cost"]
        assert (cost["train_seconds"], cost["train_tokens"]) == (float(facts["seconds"]), int(facts["tokens"]))
        assert (cost["peak_memory_bytes"], cost["saved_bytes"]) == (int(facts["memory_bytes"]), int(facts["file_bytes"]))
        assert cost["trainable_parameters"] == int(facts["trainable"])


def test_all_have_the_rank_intervals_that_counts_alone_give(called, imported):
    rows = shown_rows(called, imported)
    right = [round(float(facts["accuracy"]) * ITEMS) for facts in FACTS]
    assert [rows[strategy(facts)]["rank"] for facts in FACTS] == places_by_hand(right)


def test_the_table_says_that_intervals_are_binomial_and_pairs_unpaired(called, imported):
    status, table, said = called("results", "--out", imported)
    assert (status, said) == (0, "") and f"on gsm8k (accuracy over {ITEMS:,} items)" in table
    assert "1953 of 1953 pairs share no answers per item: compared unpaired, by intervals." in table
    assert "there are no answers per item: intervals are binomial (Wilson) and comparisons unpaired" in table
    assert "One seed: ranks are about these trained models, not strategies" in table


def test_the_smallest_difference_is_printed_and_is_the_docs_and_the_audits(called, imported):
    """Planted fault: a table whose rows are all held against each other by intervals printed none."""
    status, table, _ = called("results", "--out", imported)
    printed = re.search(r"Smallest detectable difference: ([\d.]+) points, after Holm over all 1953 pairs\.", table)
    assert status == 0 and printed and f"The table prints {printed[1]} points" in DOCS
    status, said, _ = called("audit", imported)
    assert status == 0 and "4 numbers recomputed, all agree" in said  # the difference, its two ends and its floor


def test_the_docs_tell_what_comes_out(called, imported):
    rows = shown_rows(called, imported)
    told = re.search(r"put \*\*(\d+) of the (\d+) into the top group\*\*", DOCS)
    assert told and [int(told[1]), int(told[2])] == [sum(row["rank"][0] == 1 for row in rows.values()), len(rows)]
    head = re.findall(r"^\| `([^`]+)` \| (\d+)-(\d+) \| (\.\d{3}) \[(\.\d{3}), (\.\d{3})\] \|", DOCS, re.MULTILINE)
    best = sorted(rows.values(), key=lambda row: (-row["score"]["value"], row["strategy"]))
    assert len(head) > 5 and [name for name, *_ in head] == [row["strategy"] for row in best[: len(head)]]
    for name, first, last, *numbers in head:
        score = rows[name]["score"]
        assert [int(first), int(last)] == rows[name]["rank"]
        assert numbers == [f"{score[part]:.3f}"[1:] for part in ("value", "ci_low", "ci_high")]
    pinned = sum(facts["commit"] == PINNED for facts in FACTS)
    assert f"{pinned} of them are of one state" in DOCS and f"`{PINNED[:8]}`" in DOCS
    assert all(f"`{strategy(facts)}`" in DOCS for facts in FACTS if facts["commit"] != PINNED)


def test_none_is_called_better_than_a_row_with_items_on_paired_grounds(called, imported, tmp_path):
    """A row whose answers are known, with 660 right. The first row's 724 may hold all of these, and in pairs 64 more of 1,319
    would be a find; but its answers are not known, and by intervals 64 more are no more than chance."""
    answers = [1.0] * 660 + [0.0] * (ITEMS - 660)
    results = {
        "results": {"gsm8k": {"accuracy,none": 660 / ITEMS, "accuracy_stderr,none": 0.0137725}},
        "configs": {"gsm8k": {"metric_list": [{"metric": "accuracy"}]}},
        "n-shot": {"gsm8k": 0},
        "n-samples": {"gsm8k": {"effective": ITEMS}},
        "higher_is_better": {"gsm8k": {"accuracy": True}},
        "versions": {},
        "config": {},
        "model_name": "meta-llama/Llama-3.2-3B",
    }
    (tmp_path / "results_2026.json").write_text(json.dumps(results))
    alike = {"target": "0", "filtered_resps": [["-1.5", "False"]], "filter": "none", "metrics": ["accuracy"]}
    samples = [{"doc_id": number, **alike, "accuracy": answer} for number, answer in enumerate(answers)]
    (tmp_path / "samples_gsm8k_2026.jsonl").write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    named = ("--suite", "peft-method-comparison", "--strategy", "with-items", "--out", imported)
    assert called("import", "lm-eval", tmp_path / "results_2026.json", *named) == (0, "1 record imported\n", "")
    rows = shown_rows(called, imported, "--allow-unequal")
    assert len(rows) == 64 and rows["with-items"]["source"]["interval"] == "items"
    assert rows["with-items"]["rank"][0] == 1
    status, table, _ = called("results", "--allow-unequal", "--out", imported)
    assert status == 0 and "2016 of 2016 pairs share no answers per item" in table

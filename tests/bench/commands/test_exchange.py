"""`tunebench import` as its users call it: what is said, where, and with which exit status."""

import json

import pytest

from bench.commands.exchange import Relationship
from bench.data import assets


def of_peft(strategy: str, right: int) -> dict:
    config = {"model_id": "org/Base-1B", "dtype": "bfloat16", "max_steps": 10, "seed": 0}
    end = {"test accuracy": right / 1319, "train samples": 40}
    return {
        "run_info": {"created_at": "2026-05-01", "experiment_name": strategy, "train_config": config, "peft_config": None},
        "train_info": {"status": "success", "train_time": 1.0, "accelerator_memory_max": 1, "metrics": [end]},
        "meta_info": {"package_info": {"peft-version": "0.19.0"}, "system_info": {}},
    }


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    for name, right in (("high", 800), ("near", 790), ("low", 300)):
        (folder / f"{name}.json").write_text(json.dumps(of_peft(f"{name}/base-1b-x", right)))
    return folder


def test_peft_is_imported_and_shown(called, results, tmp_path):
    out = tmp_path / "out"
    assert called("import", "peft-method-comparison", results, "--out", out) == (0, "3 records imported\n", "")
    status, table, _ = called("results", "--out", out)
    assert status == 0 and "peft-method-comparison: org/Base-1B on gsm8k (accuracy over 1,319 items)" in table
    assert table.index("high/x") < table.index("near/x") < table.index("low/x")
    assert "binomial" in table and "has 0 trials" not in table
    status, said, _ = called("results", "--json", "--out", out)
    shown = json.loads(said)
    assert {row["source"]["whose"] for row in shown} == {"peft-method-comparison"}
    assert all(row["cost"]["train_flops"] is None and row["gain"] is None and row["tuning"]["trials"] is None for row in shown)


def test_one_bad_file_ends_with_1_and_the_others_go_in(called, results, tmp_path):
    (results / "bad.json").write_text("{")
    status, said, faults = called("import", "peft-method-comparison", results, "--out", tmp_path / "out")
    assert status == 1 and said == "3 records imported, 1 file left out\n"
    assert faults.startswith("error: bad.json: file: is not JSON")


def test_no_folder_is_the_users_error(called, tmp_path):
    status, _, said = called("import", "peft-method-comparison", tmp_path / "none", "--out", tmp_path / "out")
    assert status == 2 and said.startswith("error: there is no ")
    (tmp_path / "empty").mkdir()
    assert called("import", "peft-method-comparison", tmp_path / "empty", "--out", tmp_path / "out")[0] == 2


def test_a_suite_of_another_name(called, results, tmp_path):
    out = tmp_path / "out"
    assert called("import", "peft-method-comparison", results / "low.json", "--suite", "ours", "--out", out)[0] == 0
    assert "ours: org/Base-1B on gsm8k" in called("results", "--suite", "ours", "--out", out)[1]


def test_a_stranger_s_file_does_not_command_the_terminal(called, results, tmp_path):
    (results / "red\x1b[31m.json").write_text("{")
    status, _, said = called("import", "peft-method-comparison", results, "--out", tmp_path / "out")
    assert status == 1 and said.startswith("error: red [31m.json: ")


def test_the_harness_is_imported_and_shown(called, tmp_path):
    whole = {
        "results": {"riddles": {"acc,none": 0.5, "acc_stderr,none": 0.1}},
        "configs": {"riddles": {}},
        "n-shot": {"riddles": 2},
        "n-samples": {"riddles": {"effective": 40}},
        "higher_is_better": {"riddles": {"acc": True}},
        "versions": {},
        "config": {},
        "model_name": "org/Base-1B",
    }
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "results_2026.json").write_text(json.dumps(whole))
    out = tmp_path / "out"
    assert called("import", "lm-eval", tmp_path, "--out", out) == (0, "1 record imported\n", "")
    status, table, _ = called("results", "--out", out)
    assert status == 0 and "lm-eval: org/Base-1B on riddles (acc over 40 items)" in table and "lm-eval 2-shot" in table
    assert "imported from lm-eval" in table
    assert called("report", "--out", out)[0] == 0


def test_rows_of_both_programs_and_ours_stand_in_one_table(called, results, tmp_path):
    whole = {
        "results": {"gsm8k": {"exact_match,strict-match": 0.3}},
        "configs": {"gsm8k": {}},
        "n-shot": {"gsm8k": 5},
        "n-samples": {"gsm8k": {"effective": 1319}},
        "higher_is_better": {"gsm8k": {"exact_match": True}},
        "versions": {},
        "config": {},
        "model_name": "org/Base-1B",
    }
    (tmp_path / "results_1.json").write_text(json.dumps(whole))
    out = tmp_path / "out"
    assert called("import", "peft-method-comparison", results, "--suite", "ours", "--out", out)[0] == 0
    named = ("--suite", "ours", "--strategy", "base", "--out", out)
    assert called("import", "lm-eval", tmp_path / "results_1.json", *named)[0] == 0
    status, _, said = called("report", "--out", out)
    assert status == 2 and "metric differs: " in said and "exact_match (strict-match) (base)" in said
    for kind in ("csv", "markdown"):
        status, _, said = called("export", kind, "--out", out)
        assert status == 2 and "metric differs: " in said and "--allow-unequal" in said
        status, text, _ = called("export", kind, "--allow-unequal", "--out", out)
        assert status == 0 and "not the same question: metric differs" in text
    assert called("report", "--allow-unequal", "--out", out)[0] == 0
    page = (out / "leaderboard.html").read_text()
    assert "imported from lm-eval" in page and "not the same question: metric differs" in page


@pytest.fixture
def imported(called, results, tmp_path):
    out = tmp_path / "out"
    called("import", "peft-method-comparison", results, "--out", out)
    return out


def test_rows_are_exported_as_csv_and_markdown(called, imported, tmp_path):
    status, text, said = called("export", "csv", "--out", imported)
    assert status == 0 and said == "" and len(text.splitlines()) == 4 and text.startswith("suite,model,task,strategy,row,")
    assert called("export", "markdown", "--out", imported, "--to", tmp_path / "a" / "t.md")[1] == f"{tmp_path / 'a' / 't.md'}\n"
    assert (tmp_path / "a" / "t.md").read_text().count("\n| ") == 5


def test_a_strategy_is_exported_for_the_hub_and_for_every_eval_ever(called, imported):
    _, table, _ = called("export", "csv", "--out", imported)
    suite, _, task, strategy, *_ = table.splitlines()[1].split(",")
    asked = ["--strategy", strategy, "--out", imported, "--suite", suite]
    status, text, _ = called("export", "eval-results", *asked, "--task", task, "--dataset", "openai/gsm8k", "--task-id", "main")
    assert status == 0 and text.startswith("- dataset:\n    id: openai/gsm8k\n    task_id: main\n  value: 0.6")
    status, text, _ = called("export", "model-card", *asked, "--name", "ours")
    assert status == 0 and text.startswith("---\n") and "model-index:\n- name: ours" in text
    status, text, _ = called("export", "every-eval-ever", *asked, "--organisation", "us", "--model-id", "us/ours")
    assert status == 0 and json.loads(text)["model_info"]["id"] == "us/ours"


def test_relationships_are_those_of_the_schema(called, tmp_path):
    schema = json.loads(assets.member("every-eval-ever", "every_eval_ever/schemas/eval.schema.json"))
    known = schema["properties"]["source_metadata"]["properties"]["evaluator_relationship"]["enum"]
    assert [*Relationship] == known
    asked = ["--strategy", "full", "--organisation", "us", "--model-id", "us/ours", "--out", tmp_path]
    status, _, said = called("export", "every-eval-ever", *asked, "--relationship", "foo")
    assert status == 2 and "'foo' is not one of 'first_party', 'third_party', 'collaborative', 'other'" in said


def test_an_export_of_no_row_is_2(called, imported, tmp_path):
    status, _, said = called("export", "model-card", "--strategy", "nothing", "--name", "x", "--out", imported)
    assert status == 2 and said.startswith("error: unknown strategy 'nothing'")
    assert called("export", "csv", "--out", tmp_path / "none")[0] == 2


OF_THE_HARNESS = {
    "results": {"riddles": {"acc,none": 0.75, "mcc,none": 0.5}},
    "configs": {"riddles": {"metric_list": [{"metric": "acc"}]}},
    "versions": {"riddles": 1},
    "n-shot": {"riddles": 0},
    "n-samples": {"riddles": {"effective": 4}},
    "higher_is_better": {"riddles": {"acc": True}},
    "config": {},
    "model_name": "org/Base-1B",
}


def test_what_of_the_harness_is_left_out_is_told_and_the_rest_goes_in(called, tmp_path):
    path = tmp_path / "results_2026-05-01T10-00-00.5.json"
    path.write_text(json.dumps(OF_THE_HARNESS))
    told = f"{path.name}: higher_is_better.riddles.mcc: is missing; it is left out\n"
    assert called("import", "lm-eval", path, "--out", tmp_path / "out") == (0, "1 record imported\n", told)


def test_imported_answers_are_audited(called, tmp_path):
    (tmp_path / "results_2026-05-01T10-00-00.5.json").write_text(json.dumps(OF_THE_HARNESS))
    shared = {"target": "0", "filtered_resps": "0", "filter": "none", "metrics": ["acc"]}
    lines = [json.dumps({"doc_id": number, **shared, "acc": float(number > 0)}) for number in range(4)]
    (tmp_path / "samples_riddles_2026-05-01T10-00-00.5.jsonl").write_text("\n".join(lines))
    out = tmp_path / "out"
    assert called("import", "lm-eval", tmp_path, "--out", out)[0] == 0
    status, said, _ = called("audit", out)
    assert status == 0 and "13 numbers recomputed, all agree" in said.splitlines()[-1]

"""`tunebench results`, `report`, `forgetting`, `choose` and `audit`: their contract, and rows that are not alike."""

import itertools
import json
import shutil

import pytest
import shell

from bench.records.record import Provenance, Setup
from bench.records.trial import TrialRecord, write_trial


@pytest.mark.parametrize("command", ["results", "report", "forgetting", "choose"])
def test_another_question_is_refused_in_one_sentence(called, out, kept, command):
    kept("full")
    kept("lora", engine=4)
    status, shown, said = called(command, "--out", out)
    assert status == 2 and shown == "" and not (out / "leaderboard.html").exists()
    assert said.startswith(
        "error: s: m on t: the rows answer different questions: engine version differs: 5 (full), 4 (lora); "
    )
    status, shown, _ = called(command, "--allow-unequal", "--out", out)
    text = (out / "leaderboard.html").read_text() if command == "report" else shown
    assert status == 0 and "not the same question: engine version differs: 5 (full), 4 (lora)" in " ".join(text.split())


@pytest.mark.parametrize("command", ["results", "report", "forgetting", "choose"])
def test_two_budgets_are_marked(called, out, kept, command):
    kept("full")
    kept("lora", budget="64examples", examples=64)
    status, shown, _ = called(command, "--out", out)
    text = (out / "leaderboard.html").read_text() if command == "report" else shown
    assert status == 0 and "not the same chance: budget differs: 512examples (full), 64examples (lora)" in " ".join(
        text.split()
    )


def test_one_budget_can_be_seen_alone(called, out, kept):
    kept("full")
    kept("lora", budget="64examples", examples=64)
    kept("zero-shot", examples=0)
    status, shown, _ = called("results", "--budget", "64", "--out", out)
    assert status == 0 and "lora" in shown and "zero-shot" in shown and "full" not in shown and "not the same" not in shown
    found = json.loads(called("results", "--budget", "512examples", "--json", "--out", out)[1])
    assert {row["strategy"] for row in found} == {"full", "zero-shot"}
    assert called("results", "--budget", "many", "--out", out)[0] == 2


@pytest.mark.parametrize("command", ["results", "choose", "forgetting"])
def test_a_budget_that_no_run_had_is_the_users_error(called, out, kept, command):
    """Planted fault: what trains nothing is of any budget, and was told to be ahead in a table of its own."""
    kept("full")
    kept("zero-shot", examples=0)
    status, shown, said = called(command, "--budget", "7tokens", "--out", out)
    assert (status, shown) == (2, "") and said == "error: unknown budget '7tokens'; known: 512examples\n"


def test_of_what_trains_nothing_any_budget_is_taken(called, out, kept):
    kept("zero-shot", examples=0)
    status, shown, _ = called("results", "--budget", "7tokens", "--out", out)
    assert status == 0 and "zero-shot" in shown


@pytest.mark.parametrize("command", [["choose"], ["export", "csv"], ["export", "markdown"], ["export", "model-card"]])
def test_a_model_that_no_row_has_is_the_users_error(called, out, kept, command):
    kept("full")
    needed = ["--strategy", "full", "--name", "x"] if command[-1] == "model-card" else []
    said = (2, "", "error: unknown model 'nope'; known: m\n")
    assert called(*command, *needed, "--model", "nope", "--out", out) == said
    assert called(*command, *needed, "--model", "m", "--out", out)[0] == 0


def test_options_that_would_have_no_effect_are_refused(called, out, kept):
    kept("full")
    kinds = ("--trials", "--variance", "--json")
    for one, other in itertools.combinations(kinds, 2):
        said = f"error: {one} and {other} each show something else; give one of them\n"
        assert called("results", other, one, "--out", out) == (2, "", said)
    for option in ("--max-forgetting", "--max-seconds"):
        for number in ("nan", "inf"):
            said = f"error: {option} {number} is no limit; give a finite number, or leave it out\n"
            assert called("choose", option, number, "--out", out) == (2, "", said)


def test_trials_of_one_budget_can_be_seen_alone(called, out):
    for rate, budget in ((1e-4, "32examples"), (3e-4, "64examples")):
        setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=1000, budget=budget)
        origin = Provenance(versions={}, device={})
        sampled = {"learning_rate": rate}
        write_trial(out, TrialRecord(trial_id=budget, status="ok", setup=setup, sampled=sampled, provenance=origin))
    status, shown, _ = called("results", "--trials", "--budget", "64", "--out", out)
    assert status == 0 and "1 trainings of trials" in shown and "0.0003" in shown
    status, _, said = called("results", "--trials", "--budget", "17", "--out", out)
    assert status == 2 and "trials of budget 17; run a suite with --tune first" in said


def test_programs_are_refused_nothing(called, out, kept):
    kept("full")
    kept("lora", engine=4)
    status, shown, _ = called("results", "--json", "--out", out)
    assert status == 0 and len(json.loads(shown)) == 2


def test_programs_are_told_what_tables_would_refuse(called, out, kept):
    """Planted fault: rows of two engine versions had ranks among each other, and no key said that they answer two questions."""
    kept("full", task="rte")
    kept("lora", task="rte", budget="64examples", examples=64)
    kept("full")
    kept("lora", engine=4)
    found = json.loads(called("results", "--json", "--out", out)[1])
    told = {(each["task"], each["strategy"]): (each["rank"], each["unequal"]) for each in found}
    apart, other_budget = told["t", "full"], told["rte", "full"]
    assert told["t", "lora"] == apart and told["rte", "lora"][1] == other_budget[1]
    assert apart[0] is None and [said.split(" differs")[0] for said in apart[1]] == ["not the same question: engine version"]
    assert other_budget[0] and [said.split(" differs")[0] for said in other_budget[1]] == ["not the same chance: budget"]


def test_choice_is_made_within_limits(called, out, kept):
    kept("full")
    kept("zero-shot", examples=0)
    status, shown, _ = called("choose", "--out", out)
    assert status == 0 and shown.startswith("s: m on t\n  2 rows are left, a tie")
    status, shown, _ = called("choose", "--max-memory", "4GB", "--tasks", "t", "--out", out)
    assert status == 0 and "No row is within what was asked." in shown and "full: its memory on t is not known" in shown
    assert called("choose", "--model", "m", "--max-saved", "much", "--out", out)[2] == (
        "error: --max-saved 'much' is no size; write it like 4GB or 500MB\n"
    )
    assert called("choose", "--tasks", "other", "--out", out)[0] == 2


@pytest.mark.slow
def test_results_keep_the_contract(finished):
    folder, _ = finished
    rows = json.loads(shell.tunebench("results", "--suite", "sentiment", "--json", cwd=folder).stdout)
    assert {row["strategy"] for row in rows} == {"zero-shot", "full", "lora-8bit"}
    for row in rows:
        top = "run_id suite model task strategy seed status score gain forgetting checks cost hyperparameters budget tuning"
        assert set(top.split()) | {"versions", "device"} <= set(row)
        assert {"name", "value", "ci_low", "ci_high", "n"} <= set(row["score"])
        for probe in row["forgetting"].values():
            assert {"before", "after", "delta", "ci_low", "ci_high", "n"} <= set(probe)
        costs = "train_examples train_tokens train_flops train_seconds eval_seconds peak_memory_bytes"
        assert {*costs.split(), "trainable_parameters", "total_parameters", "saved_bytes"} <= set(row["cost"])
        assert "trials" in row["tuning"]
    assert json.loads(shell.tunebench("results", "--suite", "other", "--json", cwd=folder).stdout) == []


@pytest.mark.slow
def test_an_audit_of_finished_runs_agrees_and_finds_a_changed_score(finished, tmp_path):
    folder, _ = finished
    done = shell.tunebench("audit", "out", cwd=folder)
    assert done.returncode == 0 and "numbers recomputed, all agree" in done.stdout, done.stdout + done.stderr
    copy = shutil.copytree(folder / "out", tmp_path / "out")
    path = min((copy / "records").glob("*.json"))
    raw = json.loads(path.read_text())
    raw["outcome"]["score"]["value"] += 0.01
    path.write_text(json.dumps(raw))
    done = shell.tunebench("audit", "out", cwd=tmp_path)
    assert done.returncode == 1 and "score.value is published as" in done.stdout and "differ" in done.stdout


def test_empty_results_say_what_to_do(tmp_path):
    done = shell.tunebench("results", cwd=tmp_path)
    assert shell.refused(done, "no records in out/records; run a suite first")


def test_an_audit_of_nothing_is_the_users_mistake(tmp_path):
    shell.refused(shell.tunebench("audit", "nowhere", cwd=tmp_path), "there is no folder nowhere; name one that")
    shell.refused(shell.tunebench("audit", ".", cwd=tmp_path), "no records in records; run a suite first")

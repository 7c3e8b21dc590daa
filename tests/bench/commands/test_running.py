"""`tunebench run` as its users call it: what it prints and writes, its exit statuses, and its plan."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import shell
import torch
from accelerate.utils import DistributedType

from bench import cli, suite_run


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
    done = shell.run(*shell.TINY, "--strategies", "zero-shot,full,lora-8bit", cwd=folder)
    assert done.returncode == 0
    assert "nothing to run: all 3 runs of suite sentiment have records in out" in done.stderr
    assert "full" in done.stdout


@pytest.mark.slow
def test_a_run_of_another_environment_is_kept_until_it_is_asked_for(called, out):
    arguments = ["run", *shell.TINY, "--strategies", "zero-shot", "--precision", "fp32", "--out", out]
    assert called(*arguments)[0] == 0
    (path,) = (out / "records").glob("*.json")
    record = json.loads(path.read_text())
    assert record["provenance"]["environment"]["precision"] == "fp32" and len(record["provenance"]["environment_id"]) == 16
    torch_here = record["provenance"]["environment"]["torch"]
    record["provenance"]["environment"]["torch"] = "1.0"
    path.write_text(json.dumps(record))
    _, _, said = called(*arguments)
    told = f"1 finished run is kept from another environment (torch 1.0 -> {torch_here}); --rerun-on-change does them again"
    assert told in " ".join(said.split())
    assert json.loads(path.read_text()) == record
    status, _, said = called(*arguments, "--rerun-on-change")
    assert status == 0 and "kept from another" not in said
    assert json.loads(path.read_text())["provenance"]["environment"]["torch"] == torch_here


def test_a_plan_has_the_same_ids_on_every_machine(monkeypatch, tmp_path):
    """What `auto` becomes is the machine's: the id hashes what was asked for."""
    planned = []
    monkeypatch.setattr(suite_run, "print_plan", lambda runs, *_: planned.append([run.id for run in runs]))

    def ids(asked, becomes):
        alone = DistributedType.NO
        accelerator = SimpleNamespace(main_process_first=nullcontext, distributed_type=alone, num_processes=1)
        cpu = SimpleNamespace(type="cpu")
        device = SimpleNamespace(main=True, precision=becomes, accelerator=accelerator, torch=cpu, agreed=lambda word: word)
        monkeypatch.setattr("bench.suite_run.start", lambda precision: device)
        with pytest.raises(SystemExit) as leaving:
            cli.main(["run", *shell.TINY, "--precision", asked, "--dry-run", "--out", str(tmp_path)])
        assert leaving.value.code == 0
        return planned.pop()

    assert ids("auto", "fp32") == ids("auto", "bf16")
    assert not set(ids("fp32", "fp32")) & {*ids("auto", "fp32"), *ids("bf16", "bf16")}


@pytest.mark.slow
def test_a_suite_is_tuned_and_its_trials_are_listed_apart(called, out):
    tuned = ["run", *shell.TINY, "--strategies", "full", "--tune", 2, "--seeds", 2, "--out", out]
    status, shown, _ = called(*tuned, "--dry-run")
    assert status == 0 and "2 trials to do (full 2)" in shown and not out.exists()
    assert called(*tuned)[0] == 0
    rows = json.loads(called("results", "--json", "--out", out)[1])
    assert [row["tuning"]["trials"] for row in rows] == [2, 2] and len(rows[0]["tuning"]["tried"]) == 2
    listed = called("results", "--trials", "--out", out)[1]
    assert "2 trainings of trials" in listed and all(name in listed for name in ("learning_rate=0.0002", "1000", "full"))
    assert "Expected best" in (out / "leaderboard.html").read_text()
    status, _, said = called(*tuned)
    assert status == 0 and "nothing to run" in said
    assert called("audit", out)[0] == 0
    status, _, said = called("results", "--trials", "--suite", "qa", "--out", out)
    assert status == 2 and f"no trials in {out}/trials of suite qa" in said


@pytest.mark.slow
def test_parts_of_the_seed_are_varied_apart_from_the_results(called, out):
    status, _, said = called("results", "--variance", "--out", out)
    assert status == 2 and "run a suite with --vary init,order,dropout --seeds 5 first" in said
    full = ["run", *shell.TINY, "--strategies", "full", "--seeds", 2, "--out", out]
    assert called(*full, "--vary", "dropout,init")[0] == 0
    assert {path.name for path in out.iterdir()} <= {"varied", "status"}
    assert called(*full)[0] == 0
    told = called("results", "--variance", "--suite", "sentiment", "--out", out)[1]
    assert told.index("full") < told.index("init") < told.index("dropout") < told.index("all at once")
    assert len(json.loads(called("results", "--json", "--out", out)[1])) == 2
    assert called("audit", out / "varied")[0] == 0


@pytest.mark.slow
def test_a_dry_run_prints_the_plan_and_writes_nothing(called, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, shown, said = called("run", *shell.TINY, "--dry-run")
    assert status == 0, said
    assert "multitask" in shown and "to do" in shown and "training still to do: about" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_dry_run_plans_a_hub_model_without_a_hub(tmp_path):
    done = shell.run("--suite", "opt-6.7b", "--dry-run", cwd=tmp_path, HF_HUB_OFFLINE="1", HF_HUB_CACHE=str(tmp_path / "hub"))
    assert done.returncode == 0, done.stderr
    (row,) = [line.split() for line in done.stdout.splitlines() if "lora-8bit" in line and " M " in line]
    assert row[:8] == ["opt-6.7b", "lora-8bit", "8.39", "M", "6.67", "B", "26.67", "13.33"]
    assert float(row[8]) == pytest.approx(7.3, abs=0.1)  # GB as loaded
    assert float(row[-1]) == pytest.approx(13.33, abs=0.03)  # the base, which is asked in bf16 before
    assert "a plan of what the hub would give, facebook/opt-6.7b at" in done.stdout
    assert "tokens, FLOPs and seconds (–) need its tokenizer" in done.stdout
    assert "training still to do" not in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--suite", "sentimnt"], "unknown suite 'sentimnt'; did you mean sentiment or sentiment-domains?"),
        (["--suite", "bad.yaml"], "bad.yaml: field "),
        ([*shell.TINY, "--strategies", "fulll"], "unknown strategy 'fulll'; did you mean full?"),
        ([*shell.TINY, "--tasks", "sst"], "unknown task 'sst'; did you mean sst2 or glue-sst2?"),
        ([*shell.TINY, "--budget", "0"], "budget '0' would train nothing"),
        ([*shell.TINY, "--out", "/proc/out"], "cannot write /proc/out"),
        ([*shell.TINY, "--precision", "fp8"], "precision 'fp8' is unknown; choose auto, fp32 or bf16"),
        ([*shell.TINY, "--bugdet", "1"], "No such option"),
        (["--suite", "sentiment", "--model", "nowhere/nothing"], "unknown model 'nowhere/nothing'"),
    ],
)
def test_the_users_mistakes_get_one_sentence_and_status_2(called, tmp_path, monkeypatch, options, sentence):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "bad.yaml").write_text("name: bad\nversion: 1\ntaks: [sst2]\n")
    status, shown, said = called("run", *options)
    assert (status, shown) == (2, "") and said.startswith("error: ") and sentence in said.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


@pytest.mark.slow
def test_a_mistake_leaves_a_process_with_one_sentence_and_status_2(tmp_path):
    assert shell.refused(shell.run("--suite", "sentimnt", cwd=tmp_path), "unknown suite 'sentimnt'; did you mean sentiment")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_failed_run_shows_in_the_exit_status_and_on_the_page(called, tmp_path, monkeypatch, decoder):
    """Numbers that are finite and too large: the loss is not."""
    broken = decoder.load()
    with torch.no_grad():
        broken.model.norm.weight.fill_(3e38)
    broken.save_pretrained(tmp_path / "broken")
    decoder.tokenizer.save_pretrained(tmp_path / "broken")
    monkeypatch.chdir(tmp_path)
    small = ["--suite", "sentiment", "--model", "broken", "--budget", "16", "--test-items", "10", "--probe-items", "4"]
    status, _, said = called("run", *small, "--strategies", "full,frozen")
    assert status == 1
    assert said.count("failed: DivergedError: the loss is nan at step 1 of 1; lower the learning rate") == 2
    assert "Traceback" not in said
    assert "the loss is nan" in (tmp_path / "out" / "leaderboard.html").read_text()
    rows = json.loads(called("results", "--json")[1])
    assert [(row["status"], row["score"]) for row in rows] == [("failed", None)] * 2

"""`tunebench ablate`: its runs are ordinary ones, its tables are of their records, and a wrong axis is told before any runs."""

import csv

import pytest
import shell

SWEEP = ("ablate", *shell.TINY, "--strategy", "full")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--axis", "learning_rat=1,2"], "did you mean learning_rate"),
        (["--axis", "learning_rate=1e-4"], "two values"),
        (["--axis", "batch=4,8", "--axis", "warmup=0,1", "--axis", "frozen=1,2"], "name one axis, or two different ones"),
        (["--axis", "batch=4,8", "--select", "scor"], "scor"),
        (["--axis", "batch=4,8", "--figure", "x.gif"], "gif"),
        ([], "go together"),
    ],
)
def test_a_wrong_sweep_is_told_before_anything_runs(called, out, options, sentence):
    status, shown, said = called(*SWEEP, *options, "--out", out)
    assert status == 2 and said.startswith("error: ") and sentence in said and shown == "" and not out.exists()


@pytest.mark.slow
def test_a_finished_run_is_shared_and_the_other_value_is_run(called, tmp_path, out):
    table = tmp_path / "t.csv"
    asked = ["ablate", *shell.TINY, "--strategy", "lora-8bit", "--axis", "peft.r=2,4", "--out", out]
    assert called(*asked, "--dry-run")[0] == 0 and not out.exists()
    assert called("run", *shell.TINY, "--strategies", "lora-8bit", "--set", "lora-8bit.peft.r=2", "--out", out)[0] == 0
    (shared,) = (out / "records").glob("*.json")
    before = shared.stat().st_mtime_ns
    status, shown, said = called(*asked)
    assert status == 0 and "[1/1]" in said + shown
    assert "peft.r of lora-8bit: tiny-bert on sst2" in shown and "over 20 items" in shown
    assert shared.stat().st_mtime_ns == before and len(list((out / "records").glob("*.json"))) == 2
    assert called(*asked, "--no-run", "--csv", table, "--select", "score,saved_bytes")[0] == 0
    two, four = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    assert (two["peft.r"], four["peft.r"]) == ("2", "4") and int(two["saved_bytes"]) < int(four["saved_bytes"])

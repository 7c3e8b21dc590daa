"""A sweep from the command to its tables: its runs are ordinary ones, which other commands share."""

import csv

import pytest

from bench import ablation, cli
from bench.ablation import swept
from bench.errors import UserError
from bench.planning.axes import parse_axes
from bench.planning.plan import PlanOptions, plan
from bench.records import store
from bench.suites import SuiteOptions
from reports.paper.ablated import AblationFiles

COMMON = ["--suite", "sentiment", "--model", "tiny-bert", "--budget", "16", "--test-items", "20", "--probe-items", "4"]


def test_what_is_unknown_is_told_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(ablation, "run_suite", lambda *_: pytest.fail("something ran"))
    options = PlanOptions("sentiment", strategies=["full"], axes=parse_axes(["learning_rate=1,2"]))
    with pytest.raises(UserError, match="gif"):
        ablation.ablated(options, "fp32", SuiteOptions(tmp_path), AblationFiles(figure=tmp_path / "x.gif"))


def test_missing_runs_are_named_and_a_record_of_another_suite_is_shared(tmp_path):
    options = PlanOptions("sentiment", "tiny-bert", strategies=["full"], axes=parse_axes(["label_smoothing=0.1,0.2"]))
    first, _ = plan(options, "fp32")
    from bench.devices.device import start
    from bench.running.execution import unscored

    record = unscored(first, start("fp32"), "failed", "why").record
    other = record.model_copy(update={"setup": record.setup.model_copy(update={"suite": "elsewhere"})})
    store.write_record(tmp_path, other, None)
    sweep = swept(options, "fp32", tmp_path)
    assert sweep.axes == ("label_smoothing",) and [len(found) for found in sweep.points.values()] == [1, 0]
    assert sweep.points[("0.1",)][0].setup.suite == "sentiment"
    assert sweep.missing == ["0.2 (tiny-bert / sst2 / full / seed 0)"]


def called(*arguments) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([*map(str, arguments)])
    return left.value.code


@pytest.mark.slow
def test_two_values_end_to_end(tmp_path, capsys):
    out, table = tmp_path / "out", tmp_path / "t.csv"
    asked = ["ablate", *COMMON, "--strategy", "lora-8bit", "--axis", "peft.r=2,4", "--out", out]
    assert called(*asked, "--dry-run") == 0 and not out.exists()
    assert called("run", *COMMON, "--strategies", "lora-8bit", "--set", "lora-8bit.peft.r=2", "--out", out) == 0
    (shared,) = (out / "records").glob("*.json")
    before = shared.stat().st_mtime_ns
    capsys.readouterr()
    assert called(*asked) == 0
    said = capsys.readouterr()
    assert (
        "peft.r of lora-8bit: tiny-bert on sst2" in said.out and "over 20 items" in said.out and "[1/1]" in said.err + said.out
    )
    assert shared.stat().st_mtime_ns == before and len(list((out / "records").glob("*.json"))) == 2
    assert called(*asked, "--no-run", "--csv", table, "--select", "score,saved_bytes") == 0
    two, four = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    assert (two["peft.r"], four["peft.r"]) == ("2", "4") and int(two["saved_bytes"]) < int(four["saved_bytes"])

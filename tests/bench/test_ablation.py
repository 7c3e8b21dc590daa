"""A sweep from the command to its tables: its runs are ordinary ones, which other commands share."""

import pytest

from bench import ablation
from bench.ablation import sweeps, swept
from bench.devices.device import start
from bench.errors import UserError
from bench.planning.axes import parse_axes
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.records import store
from bench.running.execution import unscored
from bench.specs.library import BUILT_IN
from bench.suite_run import SuiteOptions
from reports.paper.ablated import AblationFiles
from reports.rows.rows import aggregate


def test_what_is_unknown_is_told_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(ablation, "run_suite", lambda *_: pytest.fail("something ran"))
    options = PlanOptions("sentiment", strategies=["full"], axes=parse_axes(["learning_rate=1,2"]))
    with pytest.raises(UserError, match="gif"):
        ablation.ablated([options], "fp32", SuiteOptions(tmp_path), AblationFiles(figure=tmp_path / "x.gif"))


def test_missing_runs_are_named_and_a_record_of_another_suite_is_shared(tmp_path):
    options = PlanOptions("sentiment", "tiny-bert", strategies=["full"], axes=parse_axes(["label_smoothing=0.1,0.2"]))
    first, _ = plan(options, "fp32")
    record = unscored(first, start("fp32"), "failed", "why").record
    other = record.model_copy(update={"setup": record.setup.model_copy(update={"suite": "elsewhere", "strategy": "variant"})})
    store.write_record(tmp_path, other, None)
    sweep = swept(options, "fp32", tmp_path)
    assert sweep.axes == ("label_smoothing",) and [len(found) for found in sweep.points.values()] == [1, 0]
    assert sweep.points[("0.1",)][0].setup == record.setup
    assert sweep.missing == ["0.2 (tiny-bert / sst2 / full / seed 0)"]


SUITE = """
name: small
version: 1
description: swept
models: [tiny-bert]
tasks: [sst2]
strategies: [full, lora-8bit]
ablations:
  - {strategy: lora-8bit, axes: {peft.r: [2, 4]}}
  - {strategy: full, axes: {batch: [4, 8], budget: [8examples, 16examples]}}
"""


def test_a_suite_keeps_its_sweeps(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SUITE)
    ranks, batches = sweeps(PlanOptions(str(path)), None)
    assert ranks.strategies == ["lora-8bit"] and [str(axis) for axis in ranks.axes] == ["peft.r=2,4"]
    runs = plan(batches, "fp32")
    assert [(run.batch, str(run.budget)) for run in runs] == [
        (4, "8examples"), (4, "16examples"), (8, "8examples"), (8, "16examples")
    ]  # fmt: skip
    with pytest.raises(UserError, match="'sentiment' has no `ablations`.*--strategy and --axis"):
        sweeps(PlanOptions("sentiment"), None)
    for strategies, axes in ((["full"], None), (None, ["batch=4,8"])):
        with pytest.raises(UserError, match="go together"):
            sweeps(PlanOptions("sentiment", strategies=strategies), axes)


def test_what_is_set_beside_a_suites_own_sweeps_reaches_those_that_know_it_and_hides_no_axis(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SUITE)
    given = PlanOptions(str(path), "tiny-bert", settings=["lora-8bit.bits=32", "warmup=0"])
    ranks, batches = sweeps(given, None)
    assert ranks.settings == given.settings and batches.settings == ["warmup=0"]
    assert {run.strategy.hyperparameters.bits for run in plan(ranks, "fp32")} == {32} and plan(batches, "fp32")
    for said, told in (({"budget": "64examples"}, "--budget"), ({"settings": ["peft.r=3"]}, "--set peft.r=3")):
        with pytest.raises(UserError, match=f"{told}.* is said of all points"):
            sweeps(PlanOptions(str(path), "tiny-bert", **said), None)


@pytest.mark.parametrize(
    ("axis", "given", "option"),
    [
        ("budget=16examples,32examples", {"budget": "64examples"}, "--budget 64examples"),
        ("learning_rate=1e-5,1e-4", {"settings": ["warmup=0", "full.learning_rate=3e-5"]}, "--set full.learning_rate=3e-5"),
        ("full.learning_rate=1e-5,1e-4", {"settings": ["learning_rate=3e-5"]}, "--set learning_rate=3e-5"),
        ("peft={r: 2},{r: 4}", {"settings": ["peft.r=8"]}, "--set peft.r=8"),
        (
            "warmup=0,1",
            {"strategies": [str(BUILT_IN / "strategies" / "full.yaml")], "settings": ["full.warmup=0"]},
            "--set full",
        ),
    ],
)
def test_what_is_swept_is_not_said_of_all_points_too(axis, given, option):
    with pytest.raises(UserError, match=f"{option}.* is said of all points, and --axis of each; leave one of them out"):
        sweeps(PlanOptions("sentiment", **{"strategies": ["full"], **given}), [axis])


def test_what_is_said_of_all_points_holds_beside_an_axis():
    given = PlanOptions("sentiment", strategies=["full"], budget="64examples", settings=["peft.bias=none", "warmup=0"])
    assert [str(axis) for axis in sweeps(given, ["peft.r=2,4"])[0].axes] == ["peft.r=2,4"]


@pytest.mark.parametrize(
    "wrong", ["axes: {}", "axes: {a: [1]}", "axes: {a: [1, 2], b: [1, 2], c: [1, 2]}", "axis: {a: [1, 2]}"]
)
def test_a_wrong_sweep_of_a_suite_is_named(tmp_path, wrong):
    path = tmp_path / "small.yaml"
    path.write_text(SUITE.replace("axes: {peft.r: [2, 4]}", wrong))
    with pytest.raises(UserError, match="small.yaml: field 'ablations.0"):
        sweeps(PlanOptions(str(path)), None)


def test_runs_of_other_batches_are_rows_of_their_own(tmp_path):
    """Else the table of an axis would show a mean over it."""
    options = PlanOptions("sentiment", "tiny-bert", strategies=["full"], axes=parse_axes(["batch=4,8"]))
    runs = plan(options, "fp32")
    records = [unscored(run, start("fp32"), "failed", "why").record for run in runs]
    assert [len(row.records) for row in aggregate(records)] == [1, 1]


@pytest.mark.parametrize(("runs", "status"), [(True, 1), (False, 2)])
def test_where_every_run_failed_the_status_says_so(tmp_path, monkeypatch, capsys, runs, status):
    """Planted fault: runs that had failed were told as something that was asked for wrongly (2)."""
    options = PlanOptions("sentiment", "tiny-bert", strategies=["full"], axes=parse_axes(["batch=4,8"]))
    for run in plan(options, "fp32"):
        store.write_record(tmp_path, unscored(run, start("fp32"), "failed", "out of memory").record, None)
    monkeypatch.setattr(ablation, "run_suite", lambda *_: 1)
    table = tmp_path / "t.csv"
    try:
        ended = ablation.ablated([options], "fp32", SuiteOptions(tmp_path), AblationFiles(csv=table), runs)
        assert "no run of the sweep over batch has a score on sst2 with tiny-bert (full" in capsys.readouterr().err
    except UserError as error:
        ended = 2
        assert "failed: out of memory); mend that, and run it again" in str(error)
    assert ended == status and not table.exists()

"""Each run by itself."""

from bench import ENGINE_VERSION
from bench.records.record import Limit, Spending
from reports.page.runs import DRAWN, runs_of
from reports.rows.rows import aggregate


def test_runs_say_which_line_they_are_of_and_share_their_origins(make):
    found = runs_of(aggregate([make.record("full", 0)[0], make.record("full", 1)[0], make.record("frozen")[0]]))
    assert [(run["line"], run["seed"], run["origin"]) for run in found["runs"]] == [(0, 0, 0), (0, 1, 0), (1, 0, 0)]
    assert (
        len(found["origins"]) == 1
        and found["origins"][0]["torch"] == "2.13.0"
        and found["origins"][0]["engine"] == str(ENGINE_VERSION)
    )
    assert found["settings"] == [{"learning_rate": "2e-05", "warmup": "0.1"}] * 2


def test_another_device_is_another_origin(make):
    found = runs_of(aggregate([make.record("full")[0], make.record("frozen", device={"name": "a GPU"})[0]]))
    assert [run["origin"] for run in found["runs"]] == [0, 1] and found["origins"][1]["name"] == "a GPU"


def test_many_losses_are_means_of_neighbours(make):
    (run,) = runs_of(aggregate([make.record("full", losses=[float(step) for step in range(10 * DRAWN)])[0]]))["runs"]
    assert run["losses"]["steps"] == 10 * DRAWN and run["losses"]["means"][:2] == [4.5, 14.5]
    (few,) = runs_of(aggregate([make.record("full", losses=[0.5, 0.25])[0]]))["runs"]
    assert few["losses"] == {"steps": 2, "means": [0.5, 0.25]}
    (none,) = runs_of(aggregate([make.record("zero-shot", losses=[])[0]]))["runs"]
    assert none["losses"] is None


def test_what_to_beware_of_is_said(make):
    spending = Spending(limits={"examples": Limit(limit=10, spent=12)}, ended_by="examples")
    record = make.record(
        "full", checks={"x": False, "y": True}, collapsed="one answer", asked="asked so", validation=[0.7, 0.8]
    )[0]
    record = make.changed(record, contamination={"wikipedia": 3, "lambada": 0}, trust_remote_code=True)
    (run,) = runs_of(aggregate([record.model_copy(update={"spending": spending})]))["runs"]
    assert run["warnings"] == [
        "Collapsed: one answer.",
        "The check x does not hold.",
        "Spent 12 examples of a budget of 10.",
        "3 items of wikipedia share a passage with what was trained on.",
        "Asked so.",
        "The model ran code from its repository.",
    ]
    assert (run["validation"], run["kept"], run["spent"], run["ended"]) == (
        ".700 .800",
        ".800",
        {"examples": [12, 10]},
        "examples",
    )


def test_run_that_failed_has_its_reason_and_no_score(make):
    (run,) = runs_of(aggregate([make.failed("full", reason="out of memory")]))["runs"]
    assert run["warnings"] == ["failed: out of memory"] and "score" not in run and run["status"] == "failed"

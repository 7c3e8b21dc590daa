"""What a plan shows before anything is done."""

from bench.hashing import digest
from bench.planning import dry_run, estimate
from bench.planning.dry_run import print_plan
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.tuning import as_far_as_tuned
from bench.records import store
from bench.records.record import Provenance, Record, Setup
from bench.runs import run as run_module

RATE = 1e12
"""FLOP/s, where nothing is planned in seconds."""


def shown(capsys):
    return " ".join(capsys.readouterr().out.split())


def test_the_plan_is_a_table_that_knows_what_is_done(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(estimate, "speed", lambda: 1e6)
    setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=0, budget="1examples")
    skipped = Record(run_id=runs[1].id, status="skipped", setup=setup, provenance=Provenance(versions={}, device={}))
    store.write_record(tmp_path, skipped)
    print_plan(runs, tmp_path, [run for run in runs if run is not runs[1]])
    printed = capsys.readouterr().out
    lines = {run.strategy.name: next(line for line in printed.splitlines() if run.id in line) for run in runs}
    assert "skipped" in lines["full"] and "to do" in lines["zero-shot"] and "to do" in lines["frozen"]
    frozen = estimate.estimate_cost(runs[2], RATE)
    assert str(frozen.tokens) in lines["frozen"]
    assert f"training still to do: about {frozen.operations / 1e6:.0f} s" in " ".join(printed.split())  # full is done


def test_what_does_not_fit_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(estimate, "speed", lambda: 1e9)
    (run,) = plan(PlanOptions("sentiment", "minilm", strategies=["full"], budget="32examples,0.1GB"), "fp32")
    print_plan([run], tmp_path, [run])
    assert "full / sst2: its training does not fit into 0.1 GB" in shown(capsys)


def test_a_model_behind_an_api_has_a_price_and_no_memory(tmp_path, server, capsys):
    prices = "input_price: 2, output_price: 10"
    (tmp_path / "mine.yaml").write_text(
        f"name: mine\ndescription: d\nendpoint: {{base_url: {server.url}, model: m, {prices}}}\n"
    )
    asked = PlanOptions("sentiment", str(tmp_path / "mine.yaml"), strategies=["zero-shot", "few-shot"], test_items=50)
    runs = plan(asked, "fp32")
    print_plan(runs, tmp_path / "out", runs)
    printed = shown(capsys)
    assert "memory on each device" not in printed and "device-hours" not in printed
    assert "asking mine over its API: 100 questions, about " in printed and " at its prices" in printed


def test_many_seeds_are_estimated_once_and_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(estimate, "speed", lambda: RATE)
    asked = []
    monkeypatch.setattr(dry_run, "estimate_cost", lambda run, rate: asked.append(run) or estimate.estimate_cost(run, rate))
    runs = plan(PlanOptions("sentiment", "tiny-bert", strategies=["full"], budget="16", seeds=40), "auto")
    setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=3, budget="1examples")
    store.write_record(
        tmp_path, Record(run_id=runs[3].id, status="skipped", setup=setup, provenance=Provenance(versions={}, device={}))
    )
    print_plan(runs, tmp_path, [run for run in runs if run is not runs[3]])
    printed = shown(capsys)
    assert "40 runs of suite sentiment" in printed and "39: 0 … 39" in printed and runs[3].id in printed
    assert len(asked) == 1


def test_many_seeds_are_hashed_once_each(tmp_path, capsys, monkeypatch):
    """A run's id is a hash of the whole question: of ten thousand runs it is what a plan takes longest for."""
    monkeypatch.setattr(estimate, "speed", lambda: RATE)
    hashed = []
    monkeypatch.setattr(run_module, "digest", lambda question: hashed.append(question) or digest(question))
    planned = plan(PlanOptions("sentiment", "tiny-bert", strategies=["full", "frozen"], budget="16", seeds=40), "auto")
    runs, _ = as_far_as_tuned(planned, tmp_path)
    print_plan(runs, tmp_path, runs)
    assert "80 runs of suite sentiment" in shown(capsys)
    assert len(hashed) <= 80 + 2  # and each row's once more, by which rows that ask the same would be one


def test_rows_that_were_planned_apart_and_ask_the_same_are_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(estimate, "speed", lambda: RATE)
    twice = [
        run for _ in range(2) for run in plan(PlanOptions("sentiment", "tiny-bert", strategies=["full"], seeds=20), "auto")
    ]
    print_plan(twice, tmp_path, twice)
    assert "40: 0 … 19" in shown(capsys)

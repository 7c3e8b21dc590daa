"""The whole way from suite to record, on small real models."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from bench.errors import BrokenOffError, DivergedError, RunError, UserError
from bench.leases.lease import Leases
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.progress import Progress
from bench.records import store
from bench.running import execution, stages
from bench.running.assignments import Workplace
from bench.runs.run_folder import checkpoint_folder

ALL = ["zero-shot", "few-shot", "full", "frozen", "lora-8bit", "instruction", "multitask"]


def runs_of(model, **options):
    small = {"budget": "48", "probe_items": 6, "test_items": 40, "strategies": ALL}
    return plan.plan(PlanOptions("sentiment", model=str(model), **(small | options)), "fp32")


def execute(runs, out, device):
    return execution.execute(runs, Workplace(out, device, Progress(False, len(runs))))


@pytest.fixture(scope="module", params=["decoder", "encoder"])
def done(request, own_cache, tmp_path_factory, device):
    model = request.getfixturevalue("decoder_folder") if request.param == "decoder" else "tiny-bert"
    out = tmp_path_factory.mktemp(request.param)
    runs = runs_of(model)
    return request.param, model, out, runs, {r.setup.strategy: r for r in execute(runs, out, device)}


@pytest.mark.slow
def test_every_strategy_leaves_a_whole_record(done):
    family, _, out, _, found = done
    assert list(found) == ALL
    probes = {"wikipedia", "lambada", "arc-easy"} if family == "decoder" else {"mrpc"}
    for name, record in found.items():
        assert record.status == "ok", record.reason
        assert set(record.outcome.forgetting) == probes
        assert set(record.outcome.metrics) == {"accuracy", "f1_macro", "truncated"}
        for score in record.outcome.metrics.values():
            assert score.ci_low <= score.value <= score.ci_high and score.n == 40
        assert record.outcome.gain.value == pytest.approx(record.outcome.score.value - found["zero-shot"].outcome.score.value)
        assert record.trust.checks and all(record.trust.checks.values())
        trained = name not in ("zero-shot", "few-shot")
        assert (record.cost.train_flops > 0) == (record.cost.train_tokens > 0) == (record.cost.saved_bytes > 0) == trained
        assert len(record.outcome.losses) == (3 if trained else 0)
        assert record.cost.peak_memory_bytes > 10e6 and record.cost.eval_seconds > record.cost.probe_seconds > 0
        items = store.read_items(out, record)
        assert (items["kind"] == "task").sum() == 40
        task = items[items["kind"] == "task"]
        assert (task["gold"] == task["prediction"]).mean() == pytest.approx(record.outcome.score.value)


@pytest.mark.slow
def test_strategies_share_examples_and_budget(done):
    _, _, _, _, found = done
    trained = [found[name] for name in ("full", "frozen", "lora-8bit")]
    assert {r.cost.train_examples for r in found.values() if r.cost.train_tokens} == {48}
    assert len({r.cost.train_tokens for r in trained}) == 1
    assert found["instruction"].cost.train_tokens > found["full"].cost.train_tokens
    assert found["frozen"].cost.train_flops < found["full"].cost.train_flops
    assert found["lora-8bit"].cost.saved_bytes < found["frozen"].cost.saved_bytes < found["full"].cost.saved_bytes
    # All start from the same weights on the same first batch, whose loss is taken before any update.
    assert found["frozen"].outcome.losses[0] == pytest.approx(found["full"].outcome.losses[0], rel=0.05)


@pytest.mark.slow
def test_an_untouched_model_forgets_exactly_nothing(done):
    _, _, _, _, found = done
    for name in ("zero-shot", "few-shot"):
        for forgetting in found[name].outcome.forgetting.values():
            assert (forgetting.delta, forgetting.ci_low, forgetting.ci_high) == (0.0, 0.0, 0.0)
            assert forgetting.before == forgetting.after
    # The first row is what the others are held against; the second loaded and measured the model on its own.
    assert "untouched_forgets_nothing" not in found["zero-shot"].trust.checks
    assert found["few-shot"].trust.checks["untouched_forgets_nothing"] is True
    assert found["zero-shot"].outcome.gain.value == 0.0


@pytest.mark.slow
def test_a_second_run_runs_nothing(done, device, monkeypatch):
    _, _, out, runs, found = done
    monkeypatch.setattr(execution, "perform", lambda *_: pytest.fail("a finished run was run again"))
    assert execute(runs, out, device) == list(found.values())


@pytest.mark.slow
def test_the_same_seed_gives_the_same_record(done, device, tmp_path):
    family, model, out, _, found = done
    names = ["full", "lora-8bit", "multitask"] if family == "decoder" else ["full"]
    for record in execute(runs_of(model, strategies=names), tmp_path, device):
        first = found[record.setup.strategy]
        assert record.outcome.losses == first.outcome.losses
        assert record.outcome.metrics == first.outcome.metrics
        assert record.outcome.forgetting == first.outcome.forgetting
        assert store.read_items(tmp_path, record).equals(store.read_items(out, first))


@pytest.mark.slow
def test_another_seed_gives_another_record(done, device, tmp_path):
    _, model, _, _, found = done
    _, second = execute(runs_of(model, strategies=["full"], seeds=2), tmp_path, device)
    assert second.setup.seed == 1
    assert second.outcome.losses != found["full"].outcome.losses


@pytest.mark.slow
def test_what_is_learned_is_learned(own_cache, device, tmp_path):
    """The smallest BERT, trained for longer, beats the constant answer: the data, labels and head belong together."""
    runs = runs_of("tiny-bert", strategies=["full"], budget="1600", test_items=872, settings=["learning_rate=5e-4"])
    (record,) = execute(runs, tmp_path, device)
    assert record.outcome.score.ci_low > 0.56
    assert sum(record.outcome.losses[-10:]) < sum(record.outcome.losses[:10])


def test_a_failed_run_is_recorded_and_the_others_go_on(own_cache, device, tmp_path, monkeypatch):
    train = stages.train

    def failing(model, steps, hyperparameters, *rest):
        if hyperparameters.learning_rate == 0.00025:
            raise RunError("the loss is nan at step 2 of 3")
        return train(model, steps, hyperparameters, *rest)

    monkeypatch.setattr(stages, "train", failing)
    runs = runs_of("tiny-bert", strategies=["full", "frozen"], settings=["full.learning_rate=0.00025"])
    failed, ok = execute(runs, tmp_path, device)
    assert (failed.status, failed.reason) == ("failed", "RunError: the loss is nan at step 2 of 3")
    assert ok.status == "ok"
    stored = json.loads((store.folder(tmp_path) / f"{failed.run_id}.json").read_text())
    assert stored["outcome"] is None and stored["reason"] == failed.reason
    # Once the reason is gone the run is done again, and only that one.
    monkeypatch.setattr(stages, "train", train)
    again, kept = execute(runs, tmp_path, device)
    assert again.status == "ok" and kept == ok


def test_wrong_input_that_is_found_in_a_run_takes_nothing_from_the_others(own_cache, device, tmp_path, monkeypatch):
    perform = execution.perform

    def failing(run, *rest):
        if run.strategy.name == "zero-shot":
            raise UserError("rows.csv has vanished; put it back")
        return perform(run, *rest)

    monkeypatch.setattr(execution, "perform", failing)
    failed, ok = execute(runs_of("tiny-bert", strategies=["zero-shot", "few-shot"]), tmp_path, device)
    assert (failed.status, failed.reason, ok.status) == ("failed", "rows.csv has vanished; put it back", "ok")


def test_what_cannot_be_done_in_its_budget_is_a_row_that_says_so(own_cache, device, tmp_path, monkeypatch):
    """Too small for an example, too little memory, too slow for a step, and memory that runs out on the way."""

    def reason(budget):
        (run,) = runs_of("tiny-bert", strategies=["full"], budget=budget)
        (record,) = execute([run], tmp_path, device)
        assert store.find_record(tmp_path, run.id) == record and record.outcome is None and not record.overran
        return record.status, record.reason

    status, said = reason("3tokens")
    assert status == "skipped" and said.startswith("the budget of 3tokens is less than its first example takes: ")
    status, said = reason("32examples,10MB")
    assert status == "skipped" and said.startswith("its training does not fit into 0.01 GB: ")
    status, said = reason("0.000001s")
    assert status == "failed" and said.startswith("one step of 16 examples took ")

    def full(*_):
        torch.empty(10**15)

    monkeypatch.setattr(stages, "train", full)
    status, said = reason("32examples")
    assert status == "failed" and said.startswith("out of memory: this machine cannot hold it; ")


def test_a_second_attempt_that_fails_takes_nothing_away(own_cache, device, tmp_path, monkeypatch):
    """The environment has changed, the run is asked for again, and memory runs out: the first answer stays."""
    (run,) = runs_of("tiny-bert", strategies=["zero-shot"])
    place = Workplace(tmp_path, device, Progress(False, 1))
    (first,) = execution.execute([run], place)

    def failing(*_):
        raise RunError("out of memory")

    monkeypatch.setattr(execution, "perform", failing)
    monkeypatch.setattr(execution, "environment", lambda *_: {"torch": "of another day"})
    (again,) = execution.execute([run], place, rerun_on_change=True)
    assert (again.status, again.reason) == ("failed", "RunError: out of memory")  # the caller is told, and ends with 1
    assert store.read_all(tmp_path) == [first] and len(store.read_items(tmp_path, first)) > 40


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("error", "recorded"),
    [(DivergedError("the loss is nan"), {1, 2}), (ValueError("else"), {1}), (UserError("a file has vanished"), {1})],
)
def test_what_all_processes_find_alike_ends_the_run_alone(error, recorded, processes):
    """A launcher that ended them for it would come to the same step again with the same command, and to no other run."""
    accelerator = SimpleNamespace(num_processes=processes, free_memory=lambda: None)

    def done():
        raise error

    def attempt():
        return execution.attempted(done, lambda found: str(found), SimpleNamespace(accelerator=accelerator), debug=False)

    if processes in recorded:
        assert attempt() == str(error)
    else:
        with pytest.raises(type(error)):
            attempt()


@pytest.mark.parametrize("processes", [1, 2])
def test_what_was_broken_off_is_told_to_who_asked_and_leaves_no_failed_run(processes):
    """A launcher can have started a single process, as one GPU whose weights are offloaded: the same command goes on."""
    accelerator = SimpleNamespace(num_processes=processes, free_memory=lambda: None)

    def done():
        raise BrokenOffError("memory ran out in step 3")

    with pytest.raises(BrokenOffError):
        execution.attempted(done, lambda found: str(found), SimpleNamespace(accelerator=accelerator), debug=False)


@pytest.mark.slow
def test_items_hold_before_and_after(done):
    _, _, out, _, found = done
    items = store.read_items(out, found["full"])
    probes = items[items["kind"] == "probe"]
    for name, forgetting in found["full"].outcome.forgetting.items():
        rows = probes[probes["name"] == name]
        assert len(rows) == forgetting.n == 6
        assert rows["before_value"].notna().all() and rows["value"].notna().all()
    assert isinstance(items, pd.DataFrame) and items["before"].notna().sum() == 40


@pytest.mark.parametrize("busy", [True, False])
def test_a_checkpoint_of_a_run_that_another_command_does_anew_is_left_alone(tmp_path, device, monkeypatch, busy):
    """Planted fault: a command that found all runs finished removed what --rerun-on-change of another one went on from."""
    (run,) = runs_of("tiny-bert", strategies=["zero-shot"])
    record = execution.unscored(run, device, "skipped", "by a test").record
    store.write_record(tmp_path, record)
    kept = checkpoint_folder(tmp_path, run.id)
    kept.mkdir(parents=True)
    other = Leases(tmp_path)
    with other.beating():
        assert not busy or other.claim(run.id)
        execute([run], tmp_path, device)
    assert kept.exists() is busy

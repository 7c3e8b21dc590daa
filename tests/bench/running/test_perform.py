"""One run from data to record: what is asked of the base and what of the trained model, and what each costs."""

import gc
import json
import shutil
from dataclasses import replace

import pytest
import torch
from accelerate.utils import set_seed
from openai_server import Reply, completion
from probing import Elsewhere
from tenacity import wait_none
from transformers import PreTrainedModel

from bench.errors import UserError
from bench.inference import chat
from bench.inference.local import LocalBackend
from bench.measuring import checks, evaluation, measures
from bench.measuring.asked_base import AskedBase
from bench.measuring.base_results import FIRST_ITEMS
from bench.measuring.evaluation import Session
from bench.measuring.loaded_base import LoadedBase
from bench.measuring.untouched import Untouched
from bench.modeling.replay.activations import kept_states
from bench.progress import Progress
from bench.records.record import Limit, Spending
from bench.running import perform, stages
from bench.running.adaptation import adapted

TRAINING = (
    "train_examples",
    "train_tokens",
    "train_flops",
    "useful_flops",
    "train_seconds",
    "trainable_parameters",
    "saved_bytes",
)


@pytest.fixture(autouse=True)
def fresh(own_cache, monkeypatch):
    """A cache in which nothing is kept yet; the base's self-tests are taken as held, and an AUC's thousand resamples, which
    would be most of the time, as done: both have tests of their own."""
    shutil.rmtree(own_cache / "base", ignore_errors=True)
    monkeypatch.setattr(Untouched, "self_tests", lambda self: {"of the base": True})


@pytest.fixture
def done(device):
    return lambda run: perform.perform(run, device, Progress(False, 1))


def test_a_run_is_done_with_the_model_that_it_was_planned_with(planned, done):
    run = planned("zero-shot")
    with pytest.raises(UserError, match="has changed since the run was planned"):
        done(replace(run, model=replace(run.model, content_hash="0" * 64)))


def test_a_base_in_bf16_holds_its_checks_too(planned, done, own_cache):
    """Its answers are held to a plain reading within what bf16 allows."""
    run = planned("zero-shot")
    record, _ = done(replace(run, model=replace(run.model, reference_precision="bf16")))
    assert record.status == "ok", record.reason
    assert record.trust.checks["answers are the model's own"]


def test_what_lasts_is_set_aside_before_a_run_has_a_model(planned, done, monkeypatch):
    """Else a model that goes round in circles would stay for as long as the process does."""

    def models():
        return sum(isinstance(each, PreTrainedModel) for each in gc.get_objects())

    seen, before = [], models()
    monkeypatch.setattr(perform, "set_lasting_objects_aside", lambda: seen.append(models()))
    done(planned("zero-shot"))
    assert seen == [before]


def test_a_row_that_trains_nothing_costs_no_training(planned, done):
    record, _ = done(planned("zero-shot"))
    assert record.status == "ok", record.reason
    assert [getattr(record.cost, name) for name in TRAINING] == [0] * len(TRAINING)
    assert record.cost.device_seconds == record.cost.train_seconds
    assert record.cost.peak_memory_per_process == [record.cost.peak_memory_bytes]
    assert record.cost.total_parameters > 4e6 and record.cost.peak_memory_bytes > 0 and record.cost.money is None
    assert record.cost.eval_seconds >= record.cost.probe_seconds > 0
    assert record.spending is None and not record.overran
    assert record.outcome.losses == record.outcome.curve == [] and record.trust.contamination == {}


def test_a_row_that_trains_nothing_has_the_bases_probe_values(planned, done, opened, monkeypatch):
    """It is asked the first items of each probe alone; all others are the base's, as they are kept."""
    run, asked = planned("few-shot"), []
    embeddings = LocalBackend.embeddings
    session = opened(run)
    base = Untouched(session)
    kept = base.asked.probe_items(session.probes)["mrpc"]
    base.asked.probe_items([probe.first(FIRST_ITEMS) for probe in session.probes])

    def counted(self, texts, every_layer=False):
        asked.append(len(texts))
        return embeddings(self, texts, every_layer)

    monkeypatch.setattr(LocalBackend, "embeddings", counted)
    record, items = done(run)
    probes = items[items["kind"] == "probe"]
    assert probes["value"].tolist() == probes["before_value"].tolist() == kept["value"].tolist() and len(kept) == 6
    assert record.outcome.forgetting["mrpc"].delta == 0.0 and record.outcome.forgetting["mrpc"].n == 6
    # The test set and the shots; both texts of each pair; then, for the gain, the base's test set and the names of its labels.
    # An encoder is asked in one way alone, so that no other wording is tried.
    assert asked == [12, 4, 2 * FIRST_ITEMS, 12, 3]
    assert record.trust.checks == {"of the base": True, "answers are the model's own": True, "untouched_forgets_nothing": True}


def test_a_row_that_trains_nothing_is_its_own_base_where_it_is_asked_as_the_base_is(planned, done, monkeypatch):
    asked, predictions = [], AskedBase.predictions

    def noted(self, evalset, known=None):
        asked.append(known is not None)
        return predictions(self, evalset, known)

    monkeypatch.setattr(AskedBase, "predictions", noted)
    zero, _ = done(planned("zero-shot"))
    few, _ = done(planned("few-shot"))
    # In the same words, and in the base's best, which for an encoder are the same.
    assert asked == [True, False, False, False]
    assert zero.outcome.gain.value == 0.0 and few.outcome.base_score == zero.outcome.score.value


def test_a_base_whose_module_is_elsewhere_has_a_record_without_its_size(planned, done, decoder_folder, monkeypatch):
    run = planned("zero-shot", "sentiment", decoder_folder)
    likely = replace(run, probes=[each for each in run.probes if each[0].name == "lambada"])
    monkeypatch.setattr(Session, "backend", lambda self, module, cast=True: Elsewhere(module, self.run.checkpoint))
    first, second = done(likely)[0], done(likely)[0]
    assert first.status == second.status == "ok" and first.outcome.score.n == 12
    # Its answers have no plain reading; those that are kept are held to from the second run on.
    assert first.trust.checks == {"of the base": True}
    assert second.trust.checks == {"of the base": True, "untouched_forgets_nothing": True}
    assert first.cost.total_parameters is first.cost.weight_bytes is None and first.cost.eval_seconds > 0


def test_a_row_that_trains_is_held_against_the_untouched_base(planned, done, monkeypatch):
    zero, _ = done(planned("zero-shot"))
    order, forget, adapted, peak = [], LoadedBase.forget, perform.adapted, perform.memory.PeakMemory
    monkeypatch.setattr(LoadedBase, "forget", lambda self: order.append("forget") or forget(self))
    monkeypatch.setattr(perform.memory, "PeakMemory", lambda gpu: order.append("reset") or peak(gpu))
    monkeypatch.setattr(perform, "adapted", lambda *given: order.append("load") or adapted(*given))
    monkeypatch.setattr(checks, "fresh_adapter", lambda *_: {"of the run": True})
    monkeypatch.setattr(checks, "trained_model", lambda *_: {"after it": True})
    record, items = done(planned("frozen", settings=["learning_rate=5e-3"]))
    assert record.status == "ok", record.reason
    assert record.outcome.base_score == zero.outcome.score.value
    assert record.outcome.forgetting["mrpc"].before == zero.outcome.forgetting["mrpc"].before
    probes = items[items["kind"] == "probe"]
    assert probes["value"].tolist() != probes["before_value"].tolist()
    assert record.cost.train_examples == 32 and all(getattr(record.cost, name) > 0 for name in TRAINING)
    # Only what trains is kept: fp32 numbers of four bytes.
    assert record.cost.saved_bytes == 4 * record.cost.trainable_parameters < 4 * record.cost.total_parameters
    assert (
        0 <= record.cost.weight_bytes - 4 * record.cost.total_parameters < 10_000
    )  # and a model's places, which are no weights
    assert record.spending == Spending(limits={"examples": Limit(limit=32, spent=32)}, ended_by="examples")
    assert len(record.outcome.losses) == 2 and set(record.outcome.elsewhere) == {"amazon", "tweets", "nyt"}
    assert set(items["kind"]) == {"task", "elsewhere", "probe", "reference"}
    assert record.trust.checks == {"of the base": True, "of the run": True, "after it": True}
    # The base is gone before the run's own memory counts.
    assert order[-3:] == ["forget", "reset", "load"]


def test_an_8_bit_row_forgets_against_what_its_user_had(planned, done):
    """Before is the fp32 base, as for a row that trains in fp32; what rounding alone lost is a part of the loss."""
    whole, _ = done(planned("full"))
    packed, items = done(planned("lora-8bit"))
    before, after = (record.outcome.forgetting["mrpc"] for record in (whole, packed))
    assert after.before == before.before and before.quantisation is None
    probe = items[items["kind"] == "probe"]
    assert (probe["rounded_value"] != probe["before_value"]).any()
    assert after.quantisation is not None
    assert packed.cost.weight_bytes < whole.cost.weight_bytes and packed.cost.total_parameters > whole.cost.total_parameters


def test_a_trained_model_is_asked_its_test_set_once(planned, done, monkeypatch):
    """At its end. On its way a curve and early stopping ask validation items alone."""
    asked = []
    for module in (evaluation, measures, stages):
        real = module.predict
        monkeypatch.setattr(
            module, "predict", lambda backend, evalset, real=real: asked.append(evalset.split) or real(backend, evalset)
        )
    monkeypatch.setattr(stages, "VALIDATION_ITEMS", 4)
    settings = ["early_stopping=3", "validate_every=0.5"]
    record, _ = done(planned("full", suite="sentiment", budget="64", probe_every="2", settings=settings))
    assert len(record.outcome.curve) == len(record.outcome.validation) == 2
    assert asked == ["validation"] * 4 + ["test"]


def test_what_another_run_has_computed_is_spared_and_told(planned, done):
    """The layers below the lowest trained one give the same for a text at any learning rate."""
    kept_states().clear()
    first, second = (done(planned("frozen", settings=[f"learning_rate={rate}"]))[0].cost for rate in (5e-3, 1e-3))
    assert second.spared_flops > first.spared_flops and second.train_flops == first.train_flops
    assert first.others_seconds == 0 < second.others_seconds < second.train_seconds


def test_checks_of_the_base_and_of_the_run_are_both_in_the_record(planned, done, monkeypatch):
    monkeypatch.setattr(checks, "untouched_row", lambda *_: {"of the run": False})
    record, _ = done(planned("zero-shot"))
    assert record.trust.checks == {"of the base": True, "of the run": False}
    assert record.status == "failed" and "of the run" in record.reason and "of the base" not in record.reason


@pytest.mark.parametrize(
    ("usage", "prices", "known"),
    [({}, {"input_price": 1000}, True), ({"usage": None}, {"input_price": 1000}, False), ({}, {}, False)],
)
def test_what_no_server_counts_and_what_has_no_price_costs_nobody_knows_what(
    server, planned, done, tmp_path, usage, prices, known
):
    server.reply = lambda asked: Reply(body=completion("neutral", **usage))
    said = {"base_url": server.url, "model": "m", **prices}
    (tmp_path / "api.yaml").write_text(json.dumps({"name": "api", "description": "d", "endpoint": said}))
    record, _ = done(planned("zero-shot", model=tmp_path / "api.yaml"))
    assert record.status == "ok" and (record.cost.money is not None) == known


def test_a_model_behind_an_api_costs_money_alone(server, planned, done, monkeypatch, tmp_path):
    monkeypatch.setattr(chat, "BACKOFF", wait_none())
    server.reply = lambda asked: Reply(body=completion("neutral"))
    said = {"base_url": server.url, "model": "m", "input_price": 1000, "output_price": 2000}
    (tmp_path / "api.yaml").write_text(json.dumps({"name": "api", "description": "d", "endpoint": said}))
    record, items = done(planned("zero-shot", model=tmp_path / "api.yaml"))
    assert record.status == "ok", record.reason
    assert record.outcome.asked == "asked to write one of the answers, since the model gives no likelihoods of them"
    # 7 tokens read and 3 written for each answer
    assert record.cost.money == pytest.approx(12 * (7 * 1000 + 3 * 2000) / 1e6)
    assert [getattr(record.cost, name) for name in TRAINING] == [0] * len(TRAINING)
    assert record.cost.peak_memory_bytes is record.cost.total_parameters is None  # the server's own affair
    assert record.outcome.forgetting == {} and len(server.requests) == 12 == (items["kind"] == "task").sum()


class Begun(Exception):  # noqa: N818 (no fault)
    """Ends a run where its training would begin."""


@pytest.fixture
def begun(done, device, monkeypatch):
    """What a run begins its training with: its weights, and random numbers as they would be drawn."""

    def noted(session, before, model, state):
        raise Begun(torch.cat([p.detach().flatten() for p in model.parameters() if p.requires_grad]), torch.rand(8))

    def of(run):
        with pytest.raises(Begun) as caught:
            done(run)
        return caught.value.args

    monkeypatch.setattr(perform, "train_stages", noted)
    return of


@pytest.mark.parametrize("strategy", ["full", "lora-8bit"])
def test_a_part_of_the_seed_moves_what_is_its_own(strategy, planned, begun):
    run = planned(strategy)
    weights, drawn = begun(replace(run, varied="init"))
    for part in ("init", "order", "dropout"):
        other_weights, other_drawn = begun(replace(run, varied=part, seed=1))
        assert torch.equal(weights, other_weights) == (part != "init")
        assert torch.equal(drawn, other_drawn) == (part != "dropout")
    fresh = begun(replace(run, varied="init", seed=1))[0]
    assert torch.equal(fresh, begun(replace(run, seed=1))[0])
    set_seed(1)
    expected = torch.rand(8)
    assert torch.equal(begun(replace(run, varied="dropout", seed=1))[1], expected)


def test_without_vary_random_numbers_go_on_from_where_adapting_left_them(planned, begun, device):
    run = replace(planned("full"), seed=1)
    set_seed(1)
    adapted(run, device)
    expected = torch.rand(8)
    assert torch.equal(begun(run)[1], expected)


def test_a_record_tells_the_seeds_that_were_set_apart_and_which_parts_drew(planned, done, decoder_folder):
    run = planned("full", "sentiment", str(decoder_folder))  # no head, and a Llama without dropout
    record, _ = done(replace(run, varied="order", seed=2))
    assert record.outcome.drew == ["order"] and record.setup.seed == 2
    assert record.setup.seeds.model_dump() == {"init": 0, "order": 2, "dropout": 0}
    record, _ = done(replace(planned("frozen", "sentiment"), varied="init"))
    assert record.outcome.drew == ["order", "init", "dropout"]
    record, _ = done(planned("frozen", "sentiment"))
    assert record.outcome.drew is None and record.setup.seeds is None

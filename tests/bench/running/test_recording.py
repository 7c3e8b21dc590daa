"""A run's record: what it says of a run that came to its end, of one that did not, and of where its numbers come from."""

from dataclasses import replace

import pandas as pd
import pytest

from bench import ENGINE_VERSION
from bench.devices.environment import environment_id, versions
from bench.hashing import digest
from bench.inference.endpoint_model import EndpointModel
from bench.measuring.base_results import BaseAnswers, BaseResults
from bench.measuring.evaluation import Evaluation
from bench.records.outcome import Point
from bench.records.record import Cost, Seeds
from bench.running import recording
from bench.running.recording import RunResult, provenance, recorded, setup
from bench.specs.model import EndpointSpec
from bench.training.state import TrainingState

NOTHING = ("train_examples", "train_tokens", "train_flops", "train_seconds", "eval_seconds")
COST = Cost(**dict.fromkeys((*NOTHING, "peak_memory_bytes", "trainable_parameters", "total_parameters", "saved_bytes"), 1))
STARTED = "2026-01-01T00:00:00+00:00"


def answers(*said):
    return pd.DataFrame({"gold": ["positive", "neutral", "negative"], "prediction": said, "confidence": 1.0})


BEFORE = answers("neutral", "neutral", "neutral")
AFTER = answers("positive", "neutral", "neutral")
ASKED = BaseAnswers(BEFORE, BEFORE, "plain")


@pytest.fixture(scope="module")
def session(planned, opened):
    """Of a run that trains, with its probes left out."""
    return replace(opened(planned("full")), probes=[])


def finished(checks=None, before=None, **more):
    return RunResult(before or BaseResults(ASKED), Evaluation(AFTER), COST, {"a": True} if checks is None else checks, **more)


def test_what_a_collapsed_run_is_advised_follows_from_its_last_stage(session):
    """A first stage whose loss is smaller is no sign that the second one's rose."""
    training = TrainingState(step=2, losses=[0.3, 0.1])
    training.end_stage(32)
    training.step, training.losses = 2, [*training.losses, 5.0, 2.0]
    training.end_stage(32)
    constant = replace(finished(training=training), after=Evaluation(BEFORE))
    assert "its loss fell from 5 to 2" in recorded(session, constant, STARTED).outcome.collapsed


def test_a_whole_record(session):
    run = session.run
    record = recorded(session, finished(), STARTED)
    assert (record.run_id, record.status, record.reason, record.cost) == (run.id, "ok", None, COST)
    assert record.setup.model_dump(exclude={"hyperparameters", "tuning"}) == {
        "suite": "sentiment-domains",
        "model": "tiny-bert",
        "task": "vader-movies",
        "strategy": "full",
        "seed": 0,
        "seeds": None,
        "budget": "32examples",
    }
    assert record.setup.hyperparameters["learning_rate"] == 2e-4 and record.setup.hyperparameters["warmup"] == 0.1
    # f1_macro is the task's first metric, and so its score.
    assert record.outcome.metrics["accuracy"].value == pytest.approx(2 / 3) and record.outcome.score.name == "f1_macro"
    assert record.outcome.gain.value == pytest.approx(record.outcome.score.value - record.outcome.base_score) != 0
    assert record.outcome.stages is record.outcome.asked is record.outcome.robustness is None


def test_seeds_that_were_set_apart_are_told(session):
    varied = replace(session, run=replace(session.run, seed=2, varied="order"))
    record = recorded(varied, finished(drew=["order", "init"]), STARTED)
    assert record.setup.seed == 2 and record.setup.seeds == Seeds(order=2) and record.setup.seeds.varied == "order"
    assert record.outcome.drew == ["order", "init"] and record.provenance.inputs["seeds"]["order"] == 2


def test_a_check_that_does_not_hold_makes_the_run_failed(session):
    record = recorded(session, finished({"good": True, "mrpc: padding": False, "lora": False}), STARTED)
    assert record.status == "failed"
    assert record.reason == "self-tests that don't hold: mrpc: padding, lora; don't trust this run"
    # What was measured stays to be looked at.
    assert record.outcome.score.n == 3 and record.trust.checks == {"good": True, "mrpc: padding": False, "lora": False}


def test_training_is_told_as_it_went(session):
    curve = [Point(step=1, examples=16, score=0.5, gain=0.1, forgetting={})]
    training = TrainingState(losses=[1.5, 1.25], validation=[0.5, 0.75], curve=curve)
    outcome = recorded(session, finished(training=training), STARTED).outcome
    assert (outcome.losses, outcome.validation, outcome.curve) == ([1.5, 1.25], [0.5, 0.75], curve)


def test_stages_are_told_with_the_bases_scores(session):
    test = session.sets.test
    spec = test.task.spec.model_copy(update={"name": "first", "metrics": ["accuracy"]})
    own = replace(test, task=type(test.task)(test.task.spec.model_copy(update={"metrics": ["accuracy"]}), test.task.options))
    first = replace(test, task=type(test.task)(spec, test.task.options))
    staged = replace(session, sets=replace(session.sets, stages=[first, own]))
    training = TrainingState(stage_scores=[[0.75, 0.5], [0.25, 1.0]])
    stages = recorded(
        staged, finished(before=BaseResults(ASKED, stages=[BEFORE, AFTER]), training=training), STARTED
    ).outcome.stages
    assert stages.tasks == ["first", "vader-movies"] and stages.scores == [[0.75, 0.5], [0.25, 1.0]]
    assert stages.base == pytest.approx([1 / 3, 2 / 3])
    assert stages.backward_transfer == -0.5 and stages.forward_transfer == pytest.approx(0.5 - 2 / 3)


def test_trust_names_the_data(session):
    record = recorded(session, finished(), STARTED)
    data = session.sets.test.data
    assert record.trust.data == data.notes and record.trust.data["test"] == len(data.test)
    assert record.provenance.data_hash == data.content_hash and record.provenance.started == STARTED


def test_a_model_behind_an_api_is_told_how_it_was_asked(session):
    """Classes are ranked by likelihood, which an API does not give."""
    model = EndpointModel("api", EndpointSpec(base_url="http://127.0.0.1:9/v1", model="m"))
    record = recorded(replace(session, run=replace(session.run, model=model)), finished(), STARTED)
    assert record.outcome.asked == "asked to write one of the answers, since the model gives no likelihoods of them"
    assert record.provenance.model_hash == model.content_hash and record.provenance.inputs["endpoint"]["model"] == "m"


def test_provenance_carries_the_question_and_the_environment(session, device, monkeypatch):
    found = provenance(session.run, device)
    assert digest(found.inputs) == session.run.id and found.inputs["task"]["name"] == "vader-movies"
    assert found.environment["device"] == device.torch.type and found.environment["precision"] == "fp32"
    assert found.environment_id == environment_id(found.environment)
    assert found.versions == versions() and found.device == device.describe()
    assert (found.engine_version, found.model_hash) == (ENGINE_VERSION, session.run.model.content_hash)
    assert (found.trust_remote_code, found.data_hash, found.started) == (False, None, None)
    # Another environment answers the same question: only what stands beside the id is another.
    monkeypatch.setattr(recording, "environment", lambda kind, precision: {"torch": "0", "device": kind})
    other = provenance(session.run, device)
    assert other.environment == {"torch": "0", "device": device.torch.type}
    assert other.environment_id != found.environment_id and other.inputs == found.inputs


def test_what_is_asked_for_and_what_it_became_are_told_apart(session, device):
    """`auto` is part of the question; the precision that the machine made of it is part of the environment."""
    run = replace(session.run, precision="auto")
    found = provenance(run, device)
    assert found.inputs["precision"] == "auto" and found.environment["precision"] == "fp32"


def test_the_setup_of_a_row_that_trains_nothing(planned):
    assert setup(planned("few-shot")).hyperparameters == {"shots": 4}

"""Training through stages: what is counted, watched and put back, on tiny runs of the 2-layer BERT."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from bench.inference.local import LocalBackend
from bench.inference.predictions import predict
from bench.measuring.base_results import BaseAnswers, BaseResults
from bench.modeling.flops import count_flops
from bench.running import stages
from bench.running.adaptation import adapted
from bench.running.curriculum import build_curriculum
from bench.running.memory_ceiling import _planned_memory, _state_bytes, fit, most_held
from bench.running.stages import _longest_possible, train_stages
from bench.training import loop
from bench.training.state import TrainingState

NOTHING = BaseAnswers(pd.DataFrame(), pd.DataFrame(), "plain")
ORDER = ["sst2", "sec-entities", "squad"]


@pytest.fixture(scope="module")
def staged(planned, opened):
    """Three tasks one after another, 32 examples in 2 steps each, asked 4 items."""

    def made(**options):
        return opened(planned("full", suite="stages", test_items=4, **options))

    return made


def answers(item):
    return pd.DataFrame([{"item": item, "gold": "a", "prediction": "b"}])


def short(session, items=4):
    """The session with a short validation set."""
    return replace(session, sets=replace(session.sets, validation=replace(session.sets.validation, items=items)))


@pytest.fixture
def trained(device, monkeypatch):
    """A session's model after training, and the state of its training; early stopping asks 4 items."""
    monkeypatch.setattr(stages, "VALIDATION_ITEMS", 4)

    def made(session):
        torch.manual_seed(0)
        model = adapted(session.run, device)
        before = BaseResults(NOTHING)
        if session.run.probe_every:
            base = LocalBackend(model.eval(), session.run.model, device)
            probes = {probe.spec.name: probe.measure(base) for probe in session.probes}
            before = BaseResults(NOTHING, probes=probes, validation=predict(base, session.sets.validation))
        return model, train_stages(session, before, model, TrainingState())

    return made


@pytest.fixture
def tasks(monkeypatch):
    """The tasks of the curricula that are built, in order."""
    found, build = [], stages.build_curriculum

    def noted(run, encoding, task, *more):
        found.append(task.name)
        return build(run, encoding, task, *more)

    monkeypatch.setattr(stages, "build_curriculum", noted)
    return found


def test_each_stage_has_the_budget_and_a_row_of_scores(staged, trained, tasks):
    session = staged()
    model, state = trained(session)
    assert tasks == ORDER  # the run's own task last
    assert state.examples == 3 * 32 and len(state.losses) == 3 * 2 and state.stage == 3
    assert [len(row) for row in state.stage_scores] == [3, 3, 3]
    # What the scores are made of, each stage's on the items of each stage's test set.
    assert [[len(items) for items in row] for row in state.stage_answers] == [[4, 4, 4]] * 3
    for evalset, items in zip(session.sets.stages, state.stage_answers[-1], strict=True):
        assert [item["item"] for item in items] == [example.id for example in evalset.examples]
    assert state.tokens > state.useful.positions > 0 and state.validation == [] and state.curve == []
    assert not model.training


def test_a_row_is_of_the_model_as_it_stands_after_its_stage(staged, trained, monkeypatch):
    """By a model that is told the number of stages that are behind it."""
    done = []
    monkeypatch.setattr(stages, "train_stage", lambda *given: done.append(given[2].name) or given[3].end_stage(16))
    monkeypatch.setattr(stages, "predict", lambda _, evalset: answers((len(done), evalset.task.spec.name)))
    monkeypatch.setattr(stages.measures, "stage_scores", lambda evalsets, frames: [f["item"][0] for f in frames])
    _, state = trained(staged())
    assert state.stage_scores == [[(number, name) for name in ORDER] for number in (1, 2, 3)]
    assert [[items[0]["item"] for items in row] for row in state.stage_answers] == state.stage_scores


def test_a_run_on_one_task_has_no_row(planned, opened, trained):
    _, state = trained(opened(planned("full", suite="sentiment")))
    assert state.stage_scores == [] and state.examples == 32 and len(state.losses) == 2


def test_the_curve_goes_on_over_all_stages(staged, trained):
    _, state = trained(short(staged(probe_every="1", probe_items=40, settings=["learning_rate=5e-3"])))
    assert [point.step for point in state.curve] == [1, 2, 3, 4, 5, 6]
    assert [point.examples for point in state.curve] == [16, 32, 48, 64, 80, 96]
    assert all(set(point.forgetting) == {"mrpc"} for point in state.curve)
    # The points are of the model on its way, and a high learning rate moves the probe's score.
    assert len({point.forgetting["mrpc"] for point in state.curve}) > 1


def test_trackers_are_told_each_loss_once_over_all_stages(staged, trained, monkeypatch):
    """Some drop what is told of a step that they have had."""
    told = []
    monkeypatch.setattr(stages, "track", lambda accelerator, values, say, step: told.append((step, values["loss"])))
    _, state = trained(staged())
    assert told == list(enumerate(state.losses, start=1))


def test_the_curve_has_its_end_whatever_the_stride(planned, opened, trained):
    session = short(opened(planned("full", suite="sentiment", budget="80", probe_every="2")))
    assert [point.step for point in trained(session)[1].curve] == [2, 4, 5]


class Scores:
    """Scores that early stopping is told, in order, and the weights that it saw them with."""

    def __init__(self, said):
        self.said, self.asked, self.weights = iter(said), [], []

    def predict(self, backend, evalset):
        self.asked.append((evalset.task.spec.name, evalset.split, evalset.items))
        self.weights.append({name: weight.detach().clone() for name, weight in backend.module.named_parameters()})
        return answers("i0")

    def worth(self, frame, metric):
        return next(self.said)


@pytest.fixture
def told(monkeypatch):
    def made(*said):
        scores = Scores(said)
        monkeypatch.setattr(stages, "predict", scores.predict)
        monkeypatch.setattr(stages, "worth", scores.worth)
        monkeypatch.setattr(stages.measures, "stage_scores", lambda *_: [0.0])
        return scores

    return made


STOPPING = ("early_stopping=1", "validate_every=0.25")


def test_early_stopping_ends_each_stage_by_its_own_validation(staged, trained, told):
    """Of four steps each: the first stage ends after two, the second goes on, the third ends after three."""
    said = [0.5, 0.4, 0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.1]
    scores = told(*said, *[0.0] * 9)
    _, state = trained(staged(budget="64", settings=STOPPING))
    assert state.validation == said  # of all stages, in order
    assert state.examples == 16 * (2 + 4 + 3) and len(state.losses) == 9
    asked = [task for task, split, items in scores.asked if split == "validation" and items == 4]
    assert asked == ["sst2"] * 2 + ["sec-entities"] * 4 + ["squad"] * 3


def test_the_best_weights_are_back_after_a_stage(planned, opened, trained, told):
    scores = told(0.1, 0.9, 0.5)
    model, state = trained(opened(planned("full", suite="sentiment", budget="64", settings=STOPPING)))
    assert state.validation == [0.1, 0.9, 0.5] and state.examples == 3 * 16 and state.ended_by == "early_stopping"
    first, best, last = scores.weights
    assert all(torch.equal(weight, best[name]) for name, weight in model.named_parameters())
    assert not all(torch.equal(weight, last[name]) for name, weight in best.items())
    assert not all(torch.equal(weight, first[name]) for name, weight in best.items())


def test_the_curve_ends_where_early_stopping_ends_the_training(planned, opened, told, monkeypatch):
    """At the fourth of eight steps, by validations after each second one."""
    monkeypatch.setattr(stages.measures, "point", lambda *given: given[3])
    told(0.9, 0.1)
    session = opened(planned("full", suite="sentiment", budget="128", probe_every="3", settings=STOPPING))
    state = train_stages(session, BaseResults(NOTHING), adapted(session.run, session.device), TrainingState())
    assert (state.ended_by, state.curve) == ("early_stopping", [3, 4])


def test_the_examples_of_a_whole_budget_count_a_short_last_step(planned, opened, trained):
    assert trained(opened(planned("full", suite="sentiment", budget="20")))[1].examples == 20


def test_each_stage_has_its_seconds(staged, trained, monkeypatch):
    """By a clock that goes on by a second a step."""
    ticks = iter(range(1000))
    monkeypatch.setattr(loop, "clock", lambda: next(ticks))
    _, state = trained(staged(budget="4s"))
    assert state.seconds == 12 and state.ended_by == "seconds" and 10 < len(state.losses) < 16
    assert 3 * 3 * 16 < state.examples <= 3 * 4 * 16


@pytest.mark.parametrize(
    ("budget", "ended_by"), [("20", "examples"), ("2steps", "steps"), ("400tokens", "tokens"), ("1GFLOP", "flops")]
)
def test_what_ended_the_training_is_known(planned, opened, trained, budget, ended_by):
    model, state = trained(opened(planned("full", suite="sentiment", budget=budget)))
    assert state.ended_by == ended_by and state.examples > 0
    assert ended_by != "tokens" or 300 < state.tokens <= 400
    assert ended_by != "flops" or 5e8 < count_flops(model).useful(state.useful) <= 1e9


def test_an_encoder_may_come_to_read_all_choices_of_a_question_at_once(planned):
    """Where the clock ends the training, no one knows its examples beforehand: a ceiling must leave room for the longest."""
    exam, film = planned("full", suite="medical", tasks=["medmcqa"]), planned("full", suite="sentiment")
    assert _longest_possible(exam, exam.task, 100) == 400
    assert _longest_possible(film, film.task, 100) == 100
    assert _longest_possible(replace(film, others=(exam.task,)), film.task, 100) == 400  # mixed in


def test_a_memory_ceiling_changes_the_micro_batches_and_not_the_numbers(planned, opened, trained, monkeypatch):
    cut, micro_batches = [], loop.micro_batches

    def noted(step, tokens, *more):
        cut.append(tokens)
        return micro_batches(step, tokens, *more)

    monkeypatch.setattr(loop, "micro_batches", noted)
    settings = ["dropout=0"]  # each micro-batch draws anew what to drop
    session = opened(planned("full", suite="sentiment", settings=settings))
    _, plain = trained(session)
    whole = fit(session.run, 1)
    half = round(most_held(_state_bytes(whole) + whole.memory.activations / 2))
    assert set(cut) == {1024} and plain.kept_by == ""
    cut.clear()
    _, kept = trained(opened(planned("full", suite="sentiment", settings=settings, budget=f"32examples,{half}B")))
    assert cut[0] == pytest.approx(512, abs=1) and kept.kept_by == f"micro-batches of {cut[0]} tokens"
    cut.clear()
    longest = max(len(e.ids) for step in build_curriculum(session.run, session.encoding).steps for e in step)
    activations = _planned_memory(session.run, longest, checkpointing=True)[1].activations
    least = f"32examples,{round(most_held(_state_bytes(whole) + activations)) + 1000}B"
    _, least = trained(opened(planned("full", suite="sentiment", settings=settings, budget=least)))
    assert cut[0] == longest and least.kept_by.endswith("gradient checkpointing")
    assert plain.losses == pytest.approx(kept.losses, rel=1e-4) and plain.losses == pytest.approx(least.losses, rel=1e-4)


def test_the_clock_knows_the_budgets_limit_of_steps(staged, monkeypatch):
    """Planted fault: a step that was cut, and what it left, are two."""
    given = []
    monkeypatch.setattr(stages, "Timed", lambda *values: given.append(values))
    session = staged(budget="3steps,100s")
    stages._stage_course(session, None, session.run.task)
    ((_, seconds, _, steps),) = given
    assert (seconds, steps) == (100.0, 3)

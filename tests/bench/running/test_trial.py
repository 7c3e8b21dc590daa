"""One trial of tuning, on the 2-layer BERT: what it can reach, what it costs, how it ends early, and how it fails."""

import gc
from dataclasses import replace
from types import BuiltinFunctionType, FunctionType, ModuleType

import pytest
import torch
from sklearn.metrics import f1_score
from transformers import AutoModel

from bench.errors import RunError, TooSlowError, UserError
from bench.measuring.evaluation import Session, TrainingSession, run_encoding, validation_set
from bench.planning.search_summary import summed_up
from bench.progress import Progress
from bench.records.record import Limit
from bench.running import trial as trials
from bench.running.trial import Trial, perform_trial
from bench.runs.run_folder import KeepOptions, RunFolder
from bench.specs.checkpoint_every import CheckpointInterval
from bench.specs.search import Choice, Search, TuneOptions
from bench.strategies import with_values
from bench.tasks import splits
from bench.tasks.few_shot import pick_shots
from bench.tasks.types import task_type
from bench.training import loop

SEARCH = Search(options=TuneOptions(trials=1), space={"learning_rate": Choice(choice=[1e-4, 2e-4])}, items=12)
NOT_WALKED = (ModuleType, type, BuiltinFunctionType, torch.Tensor)


@pytest.fixture
def made(planned):
    """A trial of the small run; `options` are the run's."""

    def make(strategy="full", items=12, rule=None, values=None, **options):
        run = planned(strategy, **options)
        run = replace(run, strategy=with_values(run.strategy, values or {}), probes=(), seed=1000)
        return Trial(run, values or {}, items, rule)

    return make


@pytest.fixture
def done(device):
    return lambda trial, pruner=None: perform_trial(trial, device, Progress(False, 1), pruner)


def strings_in(start):
    """All text that can be reached from an object by whatever holds whatever, but not through modules, classes and globals."""
    found, met, waiting = set(), set(), [start]
    while waiting:
        value = waiting.pop()
        if id(value) in met or isinstance(value, NOT_WALKED):
            continue
        met.add(id(value))
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, FunctionType):
            waiting += [value.__closure__ or (), value.__defaults__ or ()]
        else:
            waiting += gc.get_referents(value)
    return found


@pytest.mark.parametrize("strategy", ["full", "few-shot"])
def test_a_trial_holds_no_test_text(made, device, monkeypatch, strategy):
    """Neither before it begins nor, with all that it has made on the way, when it has ended."""
    held = []

    class Kept(TrainingSession):
        def __init__(self, *parts, **named):
            super().__init__(*parts, **named)
            held.append(self)

    monkeypatch.setattr(trials, "TrainingSession", Kept)
    trial = made(strategy)
    data = splits.load_splits(trial.run.task)
    test = {example.fields["text"] for example in (*data.test, *(e for away in data.out_of_domain.values() for e in away))}
    seen = {example.fields["text"] for example in data.validation}
    sets, predict = [], trials.predict
    monkeypatch.setattr(trials, "predict", lambda backend, asked: sets.append(asked) or predict(backend, asked))
    record = perform_trial(trial, device, Progress(False, 1))
    reached = strings_in((trial, held, sets, record))
    assert held[0].run is trial.run and len(seen & reached) > 100  # the walk does find examples, where there are some
    assert not test & reached
    assert not hasattr(sets[0].data, "test") and not hasattr(sets[0].data, "out_of_domain")
    # And it would have found them: a run that is done to its end holds its test.
    assert test & strings_in(Session.of(trial.run, device, Progress(False, 1)))


def test_a_trial_goes_through_where_no_test_can_be_read(made, done, monkeypatch):
    trial = made("multitask")
    run = trial.run
    for task in run.training_tasks:  # held-out texts are looked at once, to take them out of what is trained on
        splits.load_training(task)
        splits.trained_examples(task, run.tested)
    if run.rehearsed:
        splits.general_texts(run.rehearsed, run.tested)

    def locked(*_):
        pytest.fail("a trial read what is held out")

    for name in ("load_splits", "_load_cached", "_load"):
        monkeypatch.setattr(splits, name, locked)
    assert done(trial).status == "ok"


def test_a_trial_is_scored_on_validation_items_and_says_what_it_spent(made, done):
    trial = made(values={"learning_rate": 3e-4})
    record = done(trial)
    assert (record.trial_id, record.status, record.sampled) == (trial.id, "ok", {"learning_rate": 3e-4})
    assert record.score.name == trial.run.task.metrics[0] and record.score.n == 12 and record.worth == record.score.value
    assert record.setup.hyperparameters["learning_rate"] == 3e-4 and record.setup.seed == 1000
    assert record.cost.train_examples == 32 and record.cost.train_tokens > 0 and record.cost.eval_seconds > 0
    assert record.rungs == [] and record.provenance.inputs == trial.inputs
    again = done(trial)
    assert again.score == record.score


@pytest.mark.parametrize("shots", [3, 16])
def test_a_trial_that_trains_nothing_asks_the_base_after_so_many_solved_examples(made, done, shots):
    """Held to sentence vectors of transformers' own model: of the label whose mean is the nearest (Snell et al. 2017)."""
    trial = made("few-shot", items=40, values={"shots": shots})
    record = done(trial)
    run, data = trial.run, splits.load_training(trial.run.task)
    shown = pick_shots(task_type(run.task), data, shots, 1000)
    read = validation_set(run, run_encoding(run), run.task, 40).examples
    model = run.checkpoint.load(AutoModel, 32, torch.device("cpu")).eval()

    def vector(example):
        ids = torch.tensor([run.checkpoint.tokenizer(example.fields["text"])["input_ids"]])
        with torch.no_grad():
            return model(ids).last_hidden_state[0].mean(0)

    of_label = {label: [vector(each) for each in shown if each.gold == label] for label in run.task.labels}
    means = {label: torch.stack(vectors).mean(0) for label, vectors in of_label.items()}
    nearest = [max(means, key=lambda label: torch.cosine_similarity(vector(each), means[label], 0)) for each in read]
    assert record.score.name == "f1_macro" and record.score.n == len(read) == 40
    assert record.score.value == pytest.approx(f1_score([each.gold for each in read], nearest, average="macro"))
    assert record.status == "ok" and record.final and record.spending is None and record.cost.train_examples == 0
    assert record.cost.eval_seconds > 0 and record.setup.hyperparameters == {"shots": shots}


def test_a_trial_that_was_broken_off_goes_on_and_says_so(made, done, device, tmp_path):
    """In its third step of four; what was kept is that of the second."""

    class Halting(Progress):
        def step(self, step, *more):
            if step == 3:
                raise InterruptedError

    def kept():
        options = KeepOptions(every=CheckpointInterval(steps=1))
        return RunFolder.of(tmp_path, trial.id, device, Progress(False, 1), options)

    trial = made(budget="64")
    whole = done(trial)
    with pytest.raises(InterruptedError):
        perform_trial(trial, device, Halting(False, 1), folder=kept())
    parts = perform_trial(trial, device, Progress(False, 1), folder=kept())
    assert (whole.provenance.resumed, parts.provenance.resumed) == ([], [2])
    assert parts.score == whole.score and parts.cost.train_tokens == whole.cost.train_tokens


def test_a_trial_is_made_with_the_model_that_it_was_planned_with(made, done):
    trial = made()
    other = replace(trial.run, model=replace(trial.run.model, content_hash="0" * 64))
    with pytest.raises(UserError, match="has changed since the run was planned"):
        done(replace(trial, run=other))


def test_what_a_trial_is_not_asked_is_no_part_of_its_id_and_all_else_is(made, planned):
    trial = made()
    assert trial.id == made(test_items=5, probe_items=4).id
    others = [made(items=13), made(rule={"before": 4}), made(values={"learning_rate": 1e-4}), made(budget="48"), made("frozen")]
    others += [replace(trial, run=replace(trial.run, seed=1001))]
    assert len({trial.id, *(other.id for other in others), planned("full").id}) == 2 + len(others)


def test_a_trial_that_is_to_be_pruned_ends_at_its_rung_and_says_so(made, done):
    asked = []

    def after_half(scores):
        asked.append(list(scores))
        return len(scores) == 2

    record = done(made(budget="128"), after_half)
    assert record.status == "pruned" and record.cost.train_examples == 64 and record.score is not None
    assert [rung.share for rung in record.rungs] == [0.25, 0.5] and asked[-1] == [rung.score for rung in record.rungs]
    whole = done(made(budget="128"), lambda scores: False)
    assert whole.status == "ok" and whole.cost.train_examples == 128 and whole.rungs == record.rungs


def test_a_loss_that_is_not_finite_is_a_trial_that_failed_with_what_it_spent(made, done, monkeypatch):
    gradients, calls = loop._gradients, []

    def broken(*given):
        calls.append(1)
        mean, *works = gradients(*given)
        return float("nan") if len(calls) == 2 else mean, *works

    monkeypatch.setattr(loop, "_gradients", broken)
    record = done(made(budget="64"))
    assert record.status == "failed" and record.reason.startswith("the loss is nan at step 2 of 4")
    assert record.score is None and record.worth is None and record.cost.train_examples == 16


def test_a_trial_that_was_too_slow_is_done_again(made, done, monkeypatch):
    """Planted fault: one busy moment of the machine lost a strategy's trial for good."""

    def slow(*_):
        raise TooSlowError("one step takes longer than all may")

    monkeypatch.setattr(trials, "train_stage", slow)
    record = done(made())
    assert record.status == "failed" and record.cost is None and not record.final and not record.beyond_budget


def test_a_trial_that_is_larger_than_its_budget_is_not_done_again(made, done):
    record = done(made(budget="3tokens"))
    assert record.status == "failed" and record.final and record.beyond_budget and record.spending is None


def test_a_trial_says_whether_it_passed_its_budget(made, done):
    """Planted fault: a trial of .13 s in a budget of .11 s was marked nowhere."""
    within = done(made(budget="32"))
    assert within.spending.limits["examples"].spent == 32 and not within.spending.passed
    ended = summed_up(SEARCH, [({}, [within])], "accuracy")
    assert not ended.tried[0].overran
    limits = {"seconds": Limit(limit=0.11, spent=0.131)}
    beyond = within.model_copy(update={"spending": within.spending.model_copy(update={"limits": limits})})
    assert summed_up(SEARCH, [({}, [beyond])], "accuracy").tried[0].overran


def test_memory_that_ran_out_in_one_of_several_processes_is_no_result(made, done, monkeypatch):
    """The others wait within the step: a process that went on to tell what it had spent would wait for them for ever."""

    def ran_out(*_):
        raise RunError("memory ran out in step 1 with micro-batches of 1024 tokens; the same command goes on with 512")

    monkeypatch.setattr(loop, "as_memory_allows", ran_out)
    with pytest.raises(RunError, match="memory ran out in step 1"):
        done(made())


def test_other_faults_are_not_taken_for_results(made, done, monkeypatch):
    monkeypatch.setattr(trials, "predict", lambda *_: (_ for _ in ()).throw(ValueError("a bug")))
    with pytest.raises(ValueError, match="a bug"):
        done(made())
    assert not issubclass(ValueError, RunError)


def test_a_trial_says_what_it_tries(made):
    assert (
        made(values={"learning_rate": 3e-4}).label
        == "tiny-bert / vader-movies / full / seed 1000: trial with learning_rate 0.0003"
    )

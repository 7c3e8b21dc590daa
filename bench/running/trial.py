"""A trial of tuning, from hyper-parameters to a validation score. It gets no test data and no probes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from accelerate.utils import set_seed
from torch import nn

from bench.devices.device import Device
from bench.devices.memory import PeakMemory
from bench.errors import BudgetError, DivergedError, TooSlowError
from bench.hashing import digest
from bench.inference.backend import Backend
from bench.inference.evalset import EvalSet
from bench.inference.predictions import predict
from bench.measuring.evaluation import Evaluation, TrainingSession
from bench.measuring.loaded_base import LoadedBase
from bench.measuring.scoring import scores, worth
from bench.modeling.spared_work import clock
from bench.progress import Progress
from bench.records.outcome import Score
from bench.records.trial import Rung, TrialRecord, as_words
from bench.running.adaptation import adapted
from bench.running.budget_account import spending
from bench.running.perform import cost_of, cost_of_asking
from bench.running.recording import provenance, setup
from bench.running.stages import train_stage
from bench.runs.run import Run
from bench.runs.run_folder import RunFolder
from bench.training.state import TrainingState

RUNGS = (0.25, 0.5)
"""Shares of a trial's steps at which it may be pruned: successive halving doubles what a trial may spend."""
UNASKED = ("probes", "also", "test_items", "other_items", "paraphrase_items", "probe_every")
"""Inputs of a run that say what its model is asked at the end or on the way, which a trial's is not."""

IsPruned = Callable[[Sequence[float]], bool]
"""Whether a trial with these scores at its rungs so far is to be pruned."""


@dataclass(frozen=True)
class Trial:
    """One training of a search: a run with the hyper-parameters that were asked for, and the share of the budget. Of a strategy
    that trains nothing it is one asking."""

    run: Run
    sampled: dict[str, Any]
    items: int
    """Validation items, at most."""
    rule: dict[str, Any] | None = None
    """What may prune it, where anything may: by that its result depends on the trials before it. Of the first trials of such a
    search, which nothing prunes, where they are looked at on the way."""

    def scored(self, steps: int) -> int:
        """How often its model is asked the validation items, where nothing prunes it and its last stage has so many steps: at
        its end, and, one a step, at the rungs before that."""
        return 1 + (max(0, min(len(RUNGS), steps - 1)) if self.rule else 0)

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Everything that determines the result, as a run's."""
        kept = {name: value for name, value in self.run.inputs.items() if name not in UNASKED}
        return kept | {"trial": {"items": self.items, **({"rule": self.rule} if self.rule else {})}}

    @cached_property
    def id(self) -> str:
        return digest(self.inputs)

    @property
    def label(self) -> str:
        return f"{self.run.label}: trial with {as_words(self.sampled)}"


def perform_trial(
    trial: Trial, device: Device, progress: Progress, pruner: IsPruned | None = None, folder: RunFolder | None = None
) -> TrialRecord:
    """The trial's record; where its loss is not finite, one that says so and what was spent until then. It goes on from what is
    kept of it."""
    session = TrainingSession(trial.run, device, progress, folder=folder or RunFolder())
    session.check_as_planned()
    validation = session.validation(trial.run.task, trial.items)
    set_seed(trial.run.seeds.init)
    peak, watch = PeakMemory(device.torch.type == "cuda"), Rungs(session, validation, pruner)
    if not trial.run.strategy.trains:
        return _asked_trial(trial, session, validation, peak)
    model = adapted(trial.run, device)
    state = session.folder.resume_training(model, peak, device, progress)
    try:
        # No rung lies in them: its score is of the run's own task, which they do not train.
        for task in trial.run.earlier[state.stage :]:
            train_stage(session, model, task, state, lambda _: [])
        if state.stage == len(trial.run.earlier):
            train_stage(session, model, trial.run.task, state, lambda _: [watch])
    except (DivergedError, BudgetError) as error:  # which other processes find too, and do not wait for this one
        state.end_stage(state.step * trial.run.batch)
        # What was too slow may be faster another time: without an account of it the trial is done again.
        too_slow = isinstance(error, TooSlowError)
        spent = None if too_slow else cost_of(session, model, state, Evaluation(pd.DataFrame()), peak)
        failed = {"status": "failed", "reason": str(error), "beyond_budget": isinstance(error, BudgetError) and not too_slow}
        return recorded_trial(trial, device, state.resumed, **failed, rungs=state.rungs, cost=spent)
    answered = _asked(session.backend(model.eval()), validation)
    cost = cost_of(session, model, state, answered, peak)
    # Asked once more: the state does not say which watch ended the training, this one or early stopping.
    status = "pruned" if pruner is not None and state.rungs and pruner([rung.score for rung in state.rungs]) else "ok"
    taken = spending(trial.run, state, cost.useful_flops or 0, cost.peak_memory_bytes or 0)
    return recorded_trial(
        trial, device, state.resumed, status=status, score=_score(trial, answered), rungs=state.rungs, cost=cost, spending=taken
    )


def _asked_trial(trial: Trial, session: TrainingSession, validation: EvalSet, peak: PeakMemory) -> TrialRecord:
    """Of a strategy that trains nothing: the untouched base, asked in the way that is tried. No budget limits that."""
    base = LoadedBase(session)
    answered = _asked(base.backend(), validation)
    cost = cost_of_asking(session, base, answered, peak)
    return recorded_trial(trial, session.device, status="ok", score=_score(trial, answered), cost=cost)


def _asked(backend: Backend, validation: EvalSet) -> Evaluation:
    started = clock()
    answers = predict(backend, validation)
    return Evaluation(answers, seconds=clock() - started)


def _score(trial: Trial, answered: Evaluation) -> Score:
    name = trial.run.task.metrics[0]
    return scores(answered.test, [name])[name]


def recorded_trial(trial: Trial, device: Device, resumed: Sequence[int] = (), **results: Any) -> TrialRecord:
    """What a trial has come to, with where it comes from, and after which steps it went on."""
    source = provenance(trial.run, device, resumed=list(resumed)).model_copy(update={"inputs": trial.inputs})
    return TrialRecord(trial_id=trial.id, setup=setup(trial.run), sampled=trial.sampled, provenance=source, **results)


class Rungs:
    """A watch of the training loop that scores the model at each rung, and ends a training that is to be pruned."""

    def __init__(self, session: TrainingSession, validation: EvalSet, pruner: IsPruned | None) -> None:
        self._session, self._validation, self._pruner = session, validation, pruner

    def __call__(self, model: nn.Module, state: TrainingState) -> bool:
        place = state.timed[1] if state.timed else state.step / state.steps
        rungs = state.rungs
        if self._pruner is None or state.step == state.steps or len(rungs) == len(RUNGS) or place < RUNGS[len(rungs)]:
            return False
        answers = predict(self._session.backend(model), self._validation)
        rungs.append(Rung(share=RUNGS[len(rungs)], score=worth(answers, self._validation.task.spec.metrics[0])))
        return self._pruner([rung.score for rung in rungs])

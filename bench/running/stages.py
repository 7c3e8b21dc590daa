"""A run's training: one stage after another, watched on the way where the run asks for it."""

from collections.abc import Sequence

import pandas as pd
from torch import nn

from bench.inference.predictions import predict
from bench.running import measures
from bench.running.curriculum import build_curriculum
from bench.running.evaluation import VALIDATION_ITEMS, Session, TrainingSession
from bench.running.reference import Baseline
from bench.running.scoring import worth
from bench.specs.probe_every import stride
from bench.specs.task import TaskSpec
from bench.strategies.base import Hyperparameters
from bench.training.early_stopping import EarlyStopping, restore
from bench.training.loop import Padding, Watch, train
from bench.training.state import ItemAnswers, TrainingState


def train_stages(session: Session, baseline: Baseline, model: nn.Module) -> TrainingState:
    """Train the adapted model in place through all stages, the run's own task last; each has its own optimiser and schedule."""
    state = TrainingState()
    for task in (*session.run.earlier, session.run.task):
        train_stage(session, model, task, state, _curve(session, baseline))
        if session.sets.stages:
            backend = session.backend(model)
            answers = [predict(backend, evalset) for evalset in session.sets.stages]
            state.stage_scores.append(measures.stage_scores(session.sets.stages, answers))
            state.stage_answers.append([_plain(frame) for frame in answers])
    return state


def _plain(answers: pd.DataFrame) -> ItemAnswers:
    return [
        {str(name): value for name, value in row.items()} for row in answers[["item", "gold", "prediction"]].to_dict("records")
    ]


def train_stage(
    session: TrainingSession, model: nn.Module, task: TaskSpec, state: TrainingState, more: Sequence[Watch] = ()
) -> None:
    """Train on one task, and put the best weights back where early stopping kept any; `more` watch the training besides."""
    run, hyperparameters = session.run, session.run.strategy.hyperparameters
    assert isinstance(hyperparameters, Hyperparameters)
    curriculum = build_curriculum(run, session.encoding, task)
    watches = [_progress(session), *_early_stopping(session, task, hyperparameters), *more]
    padding = Padding(run.checkpoint.tokenizer.pad_token_id)
    train(model, curriculum.steps, hyperparameters, session.device.accelerator, padding, state, watches)
    restore(model, state.best)
    state.end_stage(curriculum.examples if state.step == len(curriculum.steps) else state.step * run.batch)


def _progress(session: TrainingSession) -> Watch:
    def watch(model: nn.Module, state: TrainingState) -> bool:
        session.progress.step(state.step, state.steps, state.losses[-1])
        return False

    return watch


def _early_stopping(session: TrainingSession, task: TaskSpec, hyperparameters: Hyperparameters) -> list[Watch]:
    """Where it is asked for: by the score on the stage's own validation items."""
    if hyperparameters.early_stopping is None:
        return []
    validation = session.validation(task, VALIDATION_ITEMS)

    def score(model: nn.Module) -> float:
        return worth(predict(session.backend(model), validation), task.metrics[0])

    return [EarlyStopping(score, hyperparameters.early_stopping, hyperparameters.validate_every)]


def _curve(session: Session, baseline: Baseline) -> list[Watch]:
    """Where it is asked for: the run on its way, at every so many steps and at the end."""
    every = session.run.probe_every
    if every is None:
        return []

    def watch(model: nn.Module, state: TrainingState) -> bool:
        if state.step % stride(every, state.steps) == 0 or state.step == state.steps:
            backend = session.backend(model)
            state.curve.append(measures.point(session, baseline, backend, len(state.losses)))
        return False

    return [watch]

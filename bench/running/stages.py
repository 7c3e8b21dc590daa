"""A run's training: one stage after another, watched on the way where the run asks for it."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial

import pandas as pd
from torch import nn

from bench.inference.predictions import predict
from bench.measuring import measures
from bench.measuring.base_results import BaseResults
from bench.measuring.evaluation import VALIDATION_ITEMS, Session, TrainingSession
from bench.measuring.scoring import worth
from bench.modeling.flops import count_flops
from bench.modeling.recomputation import checkpoint_blocks
from bench.processes import stopping
from bench.running.curriculum import StepDraw, build_curriculum
from bench.running.memory_ceiling import fit
from bench.running.tracking import track
from bench.runs.run import Run
from bench.specs.probe_every import amount
from bench.specs.task import TaskSpec
from bench.strategies.base import Hyperparameters
from bench.tasks.splits import trained_examples
from bench.tasks.types import task_type
from bench.tasks.types.multiple_choice import ChoiceTask
from bench.training.course import Course, Listed, Timed
from bench.training.early_stopping import EarlyStopping, restore
from bench.training.loop import Padding, Watch, train
from bench.training.state import ItemAnswers, TrainingState


def train_stages(session: Session, base: BaseResults, model: nn.Module, state: TrainingState) -> TrainingState:
    """Train the adapted model in place through the stages that the state lacks, the run's own task last; each has its own
    optimiser and schedule."""
    for number, task in enumerate(session.run.stages):
        # Where a training goes on, the stages before this one are done, and their weights are in the model.
        if number == state.stage:
            train_stage(session, model, task, state, partial(_curve, session, base))
        # Where a training goes on, a stage may be trained and not yet asked: the stop came between the two.
        if session.sets.stages and number == len(state.stage_scores):
            backend = session.backend(model.eval())
            answers = [predict(backend, evalset) for evalset in session.sets.stages]
            state.stage_scores.append(measures.stage_scores(session.sets.stages, answers))
            state.stage_answers.append([_as_item_answers(frame) for frame in answers])
            if state.keeper:
                state.keeper.ended(model, state)
    if state.keeper:
        state.keeper.set_random()
    return state


def _as_item_answers(answers: pd.DataFrame) -> ItemAnswers:
    return [
        {str(name): value for name, value in row.items()} for row in answers[["item", "gold", "prediction"]].to_dict("records")
    ]


def train_stage(
    session: TrainingSession, model: nn.Module, task: TaskSpec, state: TrainingState, more: Callable[[Course], Sequence[Watch]]
) -> None:
    """Train on one task, and put the best weights back where early stopping kept any; what `more` gives watches it besides."""
    run, hyperparameters = session.run, session.run.strategy.hyperparameters
    assert isinstance(hyperparameters, Hyperparameters)
    course = _stage_course(session, model, task)
    watches = [_progress(session, course), *_early_stopping(session, task, hyperparameters), *more(course)]
    padding = _padding(session, model, task, course, state)
    # A keeper looks after each step whether a stop was asked for; without one the signal itself must end the training.
    with stopping.deferred() if state.keeper else nullcontext():
        train(model, course, hyperparameters, session.device.accelerator, padding, state, watches)
        restore(model, state.best)
        # A watch ends the training before a step that would have come.
        ended_by = course.ended_by if state.step == state.steps else "early_stopping"
        state.end_stage(course.examples_after(state.step, run.batch), ended_by)
        if state.keeper:
            state.keeper.ended(model, state)


def _stage_course(session: TrainingSession, model: nn.Module, task: TaskSpec) -> Course:
    """A finished list of steps; under a budget with seconds, steps until the clock or another limit ends them."""
    run, budget = session.run, session.run.budget
    operations = count_flops(model) if budget.flops else None
    if budget.seconds is not None:
        drawn = StepDraw(run, session.encoding, task, operations)
        return Timed(drawn, budget.seconds, session.device.agreed, budget.steps)
    curriculum = build_curriculum(run, session.encoding, task, operations)
    return Listed(curriculum.steps, curriculum.examples, curriculum.ended_by)


def _padding(session: TrainingSession, model: nn.Module, task: TaskSpec, course: Course, state: TrainingState) -> Padding:
    """Under a memory ceiling, the micro-batches that keep it; the model's blocks are checkpointed where it takes that too."""
    run = session.run
    pad = run.checkpoint.tokenizer.pad_token_id
    if run.budget.memory is None:
        return Padding(pad)
    fitted = fit(run, course.longest or _longest_possible(run, task, session.encoding.max_length))
    if fitted.checkpointing:
        checkpoint_blocks(model)
    state.kept_by = str(fitted) if fitted.changed else ""
    return Padding(pad, fitted.tokens)


def _longest_possible(run: Run, task: TaskSpec, max_length: int) -> int:
    """Tokens of the longest example that may come, of the stage's task or of one that is mixed in: an encoder reads each of a
    question's choices in a row of its own."""
    kinds = [(each, task_type(each)) for each in (task, *run.others)] if run.model.family == "encoder" else []
    choosing = [(each, kind) for each, kind in kinds if isinstance(kind, ChoiceTask)]
    most = (len(kind.candidates(example)) for each, kind in choosing for example in trained_examples(each, run.tested))
    return max_length * max(most, default=1)


def _progress(session: TrainingSession, course: Course) -> Watch:
    def watch(model: nn.Module, state: TrainingState) -> bool:
        examples = course.examples_after(state.step, session.run.batch)
        session.progress.step(state.step, state.steps, state.losses[-1], examples)
        track(session.device.accelerator, {"loss": state.losses[-1]}, session.progress.say, step=len(state.losses))
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


def _curve(session: Session, base: BaseResults, course: Course) -> list[Watch]:
    """Where it is asked for: the run on its way, at every so many steps and at the end."""
    every = session.run.probe_every
    if every is None:
        return []

    def watch(model: nn.Module, state: TrainingState) -> bool:
        if state.reached(amount(every)):
            backend = session.backend(model)
            examples = state.examples + course.examples_after(state.step, session.run.batch)
            state.curve.append(measures.point(session, base, backend, len(state.losses), examples))
        return False

    return [watch]

"""The base model under its strategy, trained on each stage's curriculum; watched on the way where the run asks for it."""

from dataclasses import dataclass, field, replace

from torch import nn
from transformers import AutoModelForCausalLM

from bench.devices.device import Device
from bench.inference.predictions import predict
from bench.modeling.heads import Heads
from bench.modeling.structure import set_dropout
from bench.progress import Progress
from bench.records.outcome import Point, Stages
from bench.running import curriculum, measures, selfchecks
from bench.running.answers import VALIDATION_ITEMS, Baseline, Questions
from bench.running.run import Run, stride
from bench.running.scoring import worth
from bench.specs.task import TaskSpec
from bench.strategies.base import Hyperparameters
from bench.tasks import types
from bench.training.early_stopping import EarlyStopping
from bench.training.loop import Spent, Watch, train

TRAIN_TOKENS = 1024
"""Bound of a padded batch on one device; memory depends on it, results only in rounding."""


@dataclass
class Trained:
    """What training cost and what was seen on the way."""

    spent: Spent = field(default_factory=Spent)
    examples: int = 0
    validation: list[float] = field(default_factory=list)
    """Scores of early stopping, in order."""
    curve: list[Point] = field(default_factory=list)
    stages: Stages | None = None
    checks: dict[str, bool] = field(default_factory=dict)


def train_stages(questions: Questions, baseline: Baseline, progress: Progress) -> tuple[nn.Module, Trained]:
    """The adapted model after all stages, the run's own task last; each stage has its own optimiser and schedule."""
    run = questions.run
    model = adapted(run, questions.device)
    found = Trained(checks=selfchecks.of_adapter(questions, baseline.first_items, model.eval()))
    rows: list[list[float]] = []
    for task in (*run.earlier, run.task):
        _train(model, task, questions, baseline, found, progress)
        if run.earlier:
            rows.append(measures.stage_scores(questions.stages, [predict(model, asked) for asked in questions.stages]))
    if run.earlier:
        names = [asked.task.spec.name for asked in questions.stages]
        found.stages = measures.stages(names, measures.stage_scores(questions.stages, baseline.stages), rows)
    return model.eval(), found


def _train(
    model: nn.Module, task: TaskSpec, questions: Questions, baseline: Baseline, found: Trained, progress: Progress
) -> None:
    run, hyperparameters = questions.run, questions.run.strategy.hyperparameters
    assert isinstance(hyperparameters, Hyperparameters)
    plan = curriculum.build(run, questions.encoding, task)
    stopping = _early_stopping(task, questions, hyperparameters)
    watches = [watch for watch in (stopping, _curve(questions, baseline, found)) if watch]

    def watch(model: nn.Module, step: int, steps: int) -> bool:
        ended = [each(model, step, steps) for each in watches]
        return any(ended)

    pad = run.model.tokenizer.pad_token_id
    accelerator = questions.device.accelerator
    spent = train(model, plan.steps, hyperparameters, accelerator, pad, TRAIN_TOKENS, progress.step, watch)
    found.spent += spent
    found.examples += plan.examples if spent.steps == len(plan.steps) else spent.steps * run.batch
    if stopping:
        stopping.restore(model)
        found.validation += stopping.scores


def _early_stopping(task: TaskSpec, questions: Questions, hyperparameters: Hyperparameters) -> EarlyStopping | None:
    if hyperparameters.early_stopping is None:
        return None
    asked = replace(questions.trained(task), split="validation", items=VALIDATION_ITEMS)

    def score(model: nn.Module) -> float:
        return worth(predict(model, asked), task.metrics[0])

    return EarlyStopping(score, hyperparameters.early_stopping, hyperparameters.validate_every)


def _curve(questions: Questions, baseline: Baseline, found: Trained) -> Watch | None:
    """Measures the run on its way, at every so many steps and at the end."""
    every = questions.run.probe_every
    if every is None:
        return None

    def watch(model: nn.Module, step: int, steps: int) -> bool:
        if step % stride(every, steps) == 0 or step == steps:
            found.curve.append(measures.point(questions, baseline, model, step + found.spent.steps))
        return False

    return watch


def adapted(run: Run, device: Device) -> nn.Module:
    """The freshly loaded base under the strategy, on this process's device; an encoder with a head for each task."""
    bits = run.strategy.bits
    if run.model.family == "decoder":
        model: nn.Module = run.model.load(AutoModelForCausalLM, bits, device.torch)
    else:
        kinds = [types.load(task) for task in run.trained]
        models = [run.model.load(kind.auto_class, bits, device.torch, num_labels=kind.outputs()) for kind in kinds]
        model = Heads(models) if len(models) > 1 else models[0]
    dropout = getattr(run.strategy.hyperparameters, "dropout", None)
    if dropout is not None:
        set_dropout(model, dropout)
    wrapped = run.strategy.adapt(model, run.model.family)
    # A quantised base is placed as it is loaded; what was added to it follows.
    return wrapped.to(device.torch)

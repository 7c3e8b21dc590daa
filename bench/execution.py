"""Runs, one after another: adapt, train, predict, score, probe, and leave a record.

A run that has a record is not run again; a run that fails leaves a record of its reason, and the others go on.
"""

import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from accelerate.utils import set_seed
from torch import nn
from transformers import AutoModel, AutoModelForCausalLM

from bench import (
    ENGINE_VERSION,
    base_scores,
    curriculum,
    data,
    flops,
    measures,
    memory,
    probes,
    records,
    sizes,
    sources,
    tasktypes,
)
from bench.answers import Answers, Questions
from bench.devices import Device, versions
from bench.early_stopping import VALIDATION_ITEMS, EarlyStopping
from bench.endpoint import Endpoint
from bench.errors import UserError
from bench.evaluation import predict
from bench.heads import Heads
from bench.models import set_dropout
from bench.plan import Run
from bench.progress import Progress
from bench.records import Cost, Provenance, Record
from bench.scoring import scores
from bench.strategies.base import Hyperparameters
from bench.strategies.endpoint import EndpointHyperparameters
from bench.training import Spent, train

TRAIN_TOKENS = 1024
"""Bound of a padded batch on one device; memory depends on it, results only in rounding."""


def check_data(runs: Sequence[Run]) -> None:
    """Read all data that the runs need, so that a fault in any of it is told before the first run starts.

    Raises:
        UserError: a file, column, label or split is wrong, or a model's files cannot be fetched.
    """
    for run in runs:
        _ = run.model.folder
        for task in (run.task, *run.others):
            data.load(task)
        for spec, _ in run.probes:
            probes.load(spec).check(spec)
        if run.strategy.rehearsal:
            sources.rows(run.strategy.rehearsal)


def execute(runs: Sequence[Run], out: Path, device: Device, progress: Progress, debug: bool = False) -> list[Record]:
    """Run what has no record yet; returns the records of all runs in order."""
    found = []
    for run in runs:
        record = records.find(out, run.id)
        if not device.agreed(record is not None and record.status != "failed"):
            progress.start(run.label)
            record, items = _skipped(run, device, progress) if run.unfit else _attempted(run, device, progress, debug)
            if device.main:
                records.write(out, record, items)
            device.accelerator.wait_for_everyone()
        assert record is not None
        found.append(record)
    return found


def _skipped(run: Run, device: Device, progress: Progress) -> tuple[Record, None]:
    progress.done(f"skipped: {run.unfit}")
    return Record(status="skipped", reason=run.unfit, **_identity(run, device)), None


def _attempted(run: Run, device: Device, progress: Progress, debug: bool) -> tuple[Record, pd.DataFrame | None]:
    """The run's record and items; of a run that failed, the reason."""
    try:
        record, items = perform(run, device, progress)
        assert record.score is not None
        progress.done(f"{record.score.name} {record.score.value:.3f}")
        return record, items
    except UserError:
        raise
    except Exception as error:
        if debug:
            traceback.print_exc()
        if device.accelerator.num_processes > 1:
            raise  # the other processes wait for this one: the launcher must end them all
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        progress.done(f"failed: {reason}")
        return Record(status="failed", reason=reason, **_identity(run, device)), None
    finally:
        device.accelerator.free_memory()


def _identity(run: Run, device: Device) -> dict[str, Any]:
    """The fields of a record that are known before the run."""
    return {
        "run_id": run.id,
        "suite": run.suite,
        "model": run.model.name,
        "task": run.task.name,
        "strategy": run.strategy.name,
        "seed": run.seed,
        "hyperparameters": run.strategy.hyperparameters.model_dump(mode="json"),
        "budget": str(run.budget),
        "versions": versions(),
        "device": device.describe(),
    }


def perform(run: Run, device: Device, progress: Progress) -> tuple[Record, pd.DataFrame]:
    """One run from data to record, and its items."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    questions = Questions(run, device, progress)
    base = base_scores.LazyModel(lambda: _base(run, device, progress))
    # Measured first, so that its memory and time are not the run's; a row that trains nothing measures the base itself.
    before = questions.before(base) if run.strategy.trains else None
    base.forget()
    memory.reset_peak(device.torch.type == "cuda")
    set_seed(run.seed)

    model: nn.Module | Endpoint
    if run.strategy.trains:
        model, spent = _trained(run, questions, device, progress)
    else:
        model, spent = run.strategy.client or base(), Spent()
    clock = time.perf_counter()
    after = questions.after(model)
    seconds = time.perf_counter() - clock
    cost = _api_cost(run, after, seconds) if isinstance(model, Endpoint) else _cost(run, model, spent, device, seconds)
    before = before or questions.before(base, after)

    forgetting = measures.forgetting(questions.probes, before, after)
    record = Record(
        status="ok",
        **_identity(run, device),
        **measures.of_task(questions.task, before.task, after.task),
        elsewhere=measures.elsewhere(questions, before, after),
        robustness=measures.robustness(questions.task, after),
        forgetting=forgetting,
        checks=measures.checks(run.strategy.trains, before, after, forgetting),
        cost=cost,
        losses=spent.losses,
        validation=spent.validation,
        provenance=Provenance(
            model_hash=run.model.content_hash,
            data_hash=questions.task.data.content_hash,
            data=questions.task.data.notes,
            engine_version=ENGINE_VERSION,
            trust_remote_code=run.model.trust_remote_code,
            started=started,
            inputs=run.inputs,
        ),
    )
    return record, measures.items(run.task.name, before, after)


def _cost(run: Run, model: nn.Module, spent: Spent, device: Device, eval_seconds: float) -> Cost:
    trained = run.strategy.trained_state(model) if run.strategy.trains else {}
    trainable, total = sizes.parameters(model)
    return Cost(
        train_examples=spent.examples,
        train_tokens=spent.tokens,
        train_flops=flops.count(model).training(spent.tokens, spent.positions),
        train_seconds=spent.seconds,
        eval_seconds=eval_seconds,
        peak_memory_bytes=memory.peak(device.torch.type == "cuda"),
        trainable_parameters=trainable if trained else 0,
        total_parameters=total,
        saved_bytes=sum(tensor.numel() * tensor.element_size() for tensor in trained.values()),
    )


def _api_cost(run: Run, after: Answers, seconds: float) -> Cost:
    """Nothing is trained and nothing held here; a repeated prompt counts again, as it would in use."""
    prices = run.strategy.hyperparameters
    assert isinstance(prices, EndpointHyperparameters)
    money = after.task["read"].sum() * prices.input_price + after.task["written"].sum() * prices.output_price
    nothing = dict.fromkeys(("train_examples", "train_tokens", "train_flops", "train_seconds", "peak_memory_bytes"), 0)
    sizes = dict.fromkeys(("trainable_parameters", "total_parameters", "saved_bytes"), 0)
    return Cost(**nothing, **sizes, eval_seconds=seconds, money=float(money) / 1e6)


def _base(run: Run, device: Device, progress: Progress) -> nn.Module:
    progress.phase("base model")
    auto = AutoModelForCausalLM if run.model.family == "decoder" else AutoModel
    model: nn.Module = run.model.load(auto)
    return model.to(device.torch).eval()


def _trained(run: Run, questions: Questions, device: Device, progress: Progress) -> tuple[nn.Module, Spent]:
    """The base under the strategy, trained on the run's curriculum."""
    hyperparameters = run.strategy.hyperparameters
    assert isinstance(hyperparameters, Hyperparameters)
    plan = curriculum.build(run, questions.encoding)
    model = _adapted(run, device)
    if hyperparameters.dropout is not None:
        set_dropout(model, hyperparameters.dropout)
    watch = _early_stopping(run, questions, hyperparameters)
    spent = train(
        model,
        plan.steps,
        hyperparameters,
        device.accelerator,
        run.model.tokenizer.pad_token_id,
        TRAIN_TOKENS,
        progress.step,
        watch or (lambda model, step, steps: False),
    )
    spent.examples = plan.examples if spent.steps == len(plan.steps) else spent.steps * run.batch
    if watch:
        watch.restore(model)
        spent.validation = watch.scores
    return model.eval(), spent


def _early_stopping(run: Run, questions: Questions, hyperparameters: Hyperparameters) -> EarlyStopping | None:
    if hyperparameters.early_stopping is None:
        return None
    asked = replace(questions.as_trained(questions.task), split="validation", items=VALIDATION_ITEMS)
    name = run.task.metrics[0]

    def score(model: nn.Module) -> float:
        found = scores(predict(model, asked), [name])[name]
        return found.value if found.higher_is_better else -found.value

    return EarlyStopping(score, hyperparameters.early_stopping, hyperparameters.validate_every)


def _adapted(run: Run, device: Device) -> nn.Module:
    """The freshly loaded base under the strategy, on this process's device; an encoder with a head for each task."""
    bits = run.strategy.bits
    if run.model.family == "decoder":
        model: nn.Module = run.model.load(AutoModelForCausalLM, bits, device.torch)
    else:
        kinds = [tasktypes.load(task) for task in (run.task, *run.others)]
        models = [run.model.load(kind.auto_class, bits, device.torch, num_labels=kind.outputs()) for kind in kinds]
        model = Heads(models) if len(models) > 1 else models[0]
    adapted = run.strategy.adapt(model, run.model.family)
    # A quantised base is placed as it is loaded; what was added to it follows.
    return adapted.to(device.torch)

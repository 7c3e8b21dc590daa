"""Runs, one after another: adapt, train, predict, score, probe, and leave a record.

A run that has a record is not run again; a run that fails leaves a record of its reason, and the others go on.
"""

import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from accelerate.utils import set_seed
from torch import nn
from transformers import AutoModel, AutoModelForCausalLM

from bench import ENGINE_VERSION, base_scores, curriculum, data, evaluation, flops, memory, probes, records, sources, tasktypes
from bench.devices import Device, versions
from bench.encoding import Encoding
from bench.errors import UserError
from bench.plan import Run
from bench.probes import Probe
from bench.progress import Progress
from bench.prompts import Wording
from bench.records import Cost, Forgetting, Provenance, Record
from bench.statistics import Indices, interval
from bench.strategies.base import Hyperparameters
from bench.training import Spent, train

TRAIN_TOKENS = 1024
EVAL_TOKENS = 2048
"""Bounds of a padded batch on one device; memory depends on them, results only in rounding."""


def check_data(runs: Sequence[Run]) -> None:
    """Read all data that the runs need, so that a fault in any of it is told before the first run starts.

    Raises:
        UserError: a file, column, label or split is wrong.
    """
    for run in runs:
        for task in (run.task, *(task for task, _ in run.others)):
            data.load(task)
        for spec, _ in run.probes:
            probes.load(spec).check(spec)
        if run.strategy.rehearsal:
            sources.rows(run.strategy.rehearsal[0])


def execute(runs: Sequence[Run], out: Path, device: Device, progress: Progress, debug: bool = False) -> list[Record]:
    """Run what has no record yet; returns the records of all runs in order."""
    found = []
    for run in runs:
        record = records.find(out, run.id)
        if not device.agreed(record is not None and record.status != "failed"):
            record = _recorded(run, out, device, progress, debug)
        assert record is not None
        found.append(record)
    return found


def _recorded(run: Run, out: Path, device: Device, progress: Progress, debug: bool) -> Record:
    progress.start(run.label)
    items: pd.DataFrame | None = None
    try:
        record, items = perform(run, device, progress)
        assert record.score is not None
        progress.done(f"{record.score.name} {record.score.value:.3f}")
    except UserError:
        raise
    except Exception as error:
        if debug:
            traceback.print_exc()
        if device.accelerator.num_processes > 1:
            raise  # the other processes wait for this one: the launcher must end them all
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        record = Record(status="failed", reason=reason, **_identity(run, device))
        progress.done(f"failed: {reason}")
    finally:
        device.accelerator.free_memory()
    if device.main:
        records.write(out, record, items)
    device.accelerator.wait_for_everyone()
    return record


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


@dataclass(frozen=True)
class Answers:
    """What a model answers, on the task's test set and per probe."""

    predictions: pd.DataFrame
    probes: dict[str, pd.DataFrame]


def perform(run: Run, device: Device, progress: Progress) -> tuple[Record, pd.DataFrame]:
    """One run from data to record, and its items."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    task_data = data.load(run.task)
    encoding = Encoding(run.model, run.max_length)
    measured = [probes.load(spec)(spec, encoding, limit, EVAL_TOKENS) for spec, limit in run.probes]
    kind = tasktypes.load(run.task)
    plain = evaluation.Asked(encoding, kind, task_data, Wording(), device, EVAL_TOKENS, seed=0, items=run.test_items)
    base = base_scores.LazyModel(lambda: _base(run, device, progress))
    # Measured first, so that its memory and time are not the run's; a row that trains nothing measures the base itself.
    before = _before(run, plain, measured, base) if run.strategy.trains else None
    base.forget()
    memory.reset_peak(device.torch.type == "cuda")
    set_seed(run.seed)

    model, spent = _trained(run, encoding, device, progress) if run.strategy.trains else (base(), Spent())
    clock = time.perf_counter()
    progress.phase("test set")
    asked = replace(plain, wording=run.strategy.wording, seed=run.seed, trained_head=run.strategy.trains)
    predictions = evaluation.predict(model, asked)
    progress.phase("probes")
    after = Answers(predictions, {probe.spec.name: probe.answers(model, device) for probe in measured})
    cost = _cost(run, model, spent, device, time.perf_counter() - clock)
    if before is None:
        before = _before(run, plain, measured, base, after)

    forgetting = {name: _forgetting(p, before.probes[name], after.probes[name]) for p in measured for name in [p.spec.name]}
    record = Record(
        status="ok",
        **_identity(run, device),
        **_scores(run, before.predictions, predictions),
        forgetting=forgetting,
        checks=_checks(run, before, after, forgetting),
        cost=cost,
        losses=spent.losses,
        provenance=Provenance(
            model_hash=run.model.content_hash,
            data_hash=task_data.content_hash,
            data=task_data.notes,
            engine_version=ENGINE_VERSION,
            trust_remote_code=run.model.trust_remote_code,
            started=started,
            inputs=run.inputs,
        ),
    )
    return record, _items(run, before, after)


def _checks(run: Run, before: Answers, after: Answers, forgetting: dict[str, Forgetting]) -> dict[str, bool]:
    """A row that trains nothing has the base model itself, measured again: whatever it forgets is a fault of ours.

    The first such row measures what the others are held against, which proves nothing and is no check.
    """
    if run.strategy.trains or any(before.probes[name] is after.probes[name] for name in after.probes):
        return {}
    return {"untouched_forgets_nothing": all(lost.delta == 0 for lost in forgetting.values())}


def _scores(run: Run, before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """The record's fields on the task itself."""
    metrics = evaluation.scores(after, run.task.metrics)
    score = metrics[run.task.metrics[0]]
    gain, low, high = evaluation.rise(after, before, score.name)
    base = score.value - gain
    return {"metrics": metrics, "score": score, "base_score": base, "gain": gain, "gain_ci_low": low, "gain_ci_high": high}


def _cost(run: Run, model: nn.Module, spent: Spent, device: Device, eval_seconds: float) -> Cost:
    trained = run.strategy.trained_state(model) if run.strategy.trains else {}
    parameters = list(model.parameters())
    return Cost(
        train_examples=spent.examples,
        train_tokens=spent.tokens,
        train_flops=flops.count(model).training(spent.tokens, spent.positions),
        train_seconds=spent.seconds,
        eval_seconds=eval_seconds,
        peak_memory_bytes=memory.peak(device.torch.type == "cuda"),
        trainable_parameters=sum(p.numel() for p in parameters if p.requires_grad) if trained else 0,
        total_parameters=sum(p.numel() for p in parameters),
        saved_bytes=sum(tensor.numel() * tensor.element_size() for tensor in trained.values()),
    )


def _base(run: Run, device: Device, progress: Progress) -> nn.Module:
    progress.phase("base model")
    auto = AutoModelForCausalLM if run.model.family == "decoder" else AutoModel
    model: nn.Module = run.model.load(auto)
    return model.to(device.torch).eval()


def _trained(run: Run, encoding: Encoding, device: Device, progress: Progress) -> tuple[nn.Module, Spent]:
    """The base under the strategy, trained on the run's curriculum."""
    plan = curriculum.build(run, encoding)
    model = _adapted(run, plan.outputs, device)
    hyperparameters = run.strategy.hyperparameters
    assert isinstance(hyperparameters, Hyperparameters)
    pad = run.model.tokenizer.pad_token_id
    spent = train(model, plan.steps, hyperparameters, device.accelerator, pad, TRAIN_TOKENS, plan.outputs, progress.step)
    return model.eval(), spent


def _adapted(run: Run, outputs: int, device: Device) -> nn.Module:
    """The freshly loaded base under the strategy, on this process's device."""
    if run.model.family == "decoder":
        model = run.model.load(AutoModelForCausalLM, run.strategy.bits, device.torch)
    else:
        model = run.model.load(tasktypes.load(run.task).auto_class, run.strategy.bits, device.torch, num_labels=outputs)
    adapted = run.strategy.adapt(model, run.model.family)
    # A quantised base is placed as it is loaded; what was added to it follows.
    return adapted.to(device.torch)


def _before(
    run: Run, plain: evaluation.Asked, measured: Sequence[Probe], base: base_scores.LazyModel, known: Answers | None = None
) -> Answers:
    """The base's answers from the cache, from what a row that trains nothing has just measured, or measured now."""

    def predictions() -> pd.DataFrame:
        same = known is not None and run.strategy.wording == plain.wording
        return known.predictions if known and same else evaluation.predict(base(), plain)

    def items(probe: Probe) -> pd.DataFrame:
        return known.probes[probe.spec.name] if known else probe.answers(base(), plain.device)

    return Answers(
        base_scores.predictions(run, predictions, plain.device),
        {p.spec.name: base_scores.probe_items(run, p.spec, len(p.rows), partial(items, p), plain.device) for p in measured},
    )


def _forgetting(probe: Probe, before: pd.DataFrame, after: pd.DataFrame) -> Forgetting:
    sign = 1.0 if probe.higher_is_better else -1.0
    old, new = ({str(name): frame[name].to_numpy() for name in frame} for frame in (before, after))

    compared = probe.comparison(old, new)

    def lost(items: Indices) -> float:
        score_before, score_after = compared(items)
        return sign * (score_before - score_after)

    everything = np.arange(len(before))
    low, high = interval(lost, len(before))
    score_before, score_after = compared(everything)
    return Forgetting(
        value_name=probe.value,
        higher_is_better=probe.higher_is_better,
        before=score_before,
        after=score_after,
        delta=lost(everything) + 0.0,  # -0.0 becomes 0.0
        ci_low=low,
        ci_high=high,
        n=len(before),
    )


def _items(run: Run, before: Answers, after: Answers) -> pd.DataFrame:
    """All that was measured per item, task and probes in one long table."""
    frames = [after.predictions.assign(kind="task", name=run.task.name, before=before.predictions["prediction"])]
    for name, frame in after.probes.items():
        numbered = frame.assign(kind="probe", name=name, item=[str(i) for i in range(len(frame))])
        frames.append(numbered.assign(before_value=before.probes[name]["value"]))
    columns = ["kind", "name", "item", "gold", "before", "prediction", "confidence", "before_value", "value", "weight"]
    return pd.concat(frames, ignore_index=True).reindex(columns=columns)

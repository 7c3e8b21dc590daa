"""Runs, one after another: adapt, train, predict, score, probe, and leave a record.

A run that has a record is not run again; a run that fails leaves a record of its reason, and the others go on.
"""

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

from bench import ENGINE_VERSION, probes
from bench.data import sources
from bench.devices import memory
from bench.devices.device import Device
from bench.devices.environment import versions
from bench.errors import UserError
from bench.inference.endpoint import Endpoint
from bench.modeling import flops
from bench.progress import Progress
from bench.records import store
from bench.records.outcome import Outcome
from bench.records.record import Cost, Provenance, Record, Setup, Status, Trust
from bench.running import base_scores, measures, selfchecks, sizes
from bench.running.adaptation import Trained, train_stages
from bench.running.answers import Answers, Questions
from bench.running.run import Run
from bench.strategies.endpoint import EndpointHyperparameters
from bench.tasks import splits


def check_data(runs: Sequence[Run]) -> None:
    """Read all data that the runs need, so that a fault in any of it is told before the first run starts.

    Raises:
        UserError: a file, column, label or split is wrong, or a model's files cannot be fetched.
    """
    for run in runs:
        _ = run.model.folder
        for task in (*run.trained, *run.also):
            splits.load(task)
        for spec, _ in run.probes:
            probes.load(spec).check(spec)
        if run.strategy.rehearsal:
            sources.rows(run.strategy.rehearsal)


def execute(runs: Sequence[Run], out: Path, device: Device, progress: Progress, debug: bool = False) -> list[Record]:
    """Run what has no record yet; returns the records of all runs in order."""
    found = []
    for run in runs:
        record = store.find_record(out, run.id)
        if not device.agreed(record is not None and record.status != "failed"):
            progress.start(run.label)
            record, items = _skipped(run, device, progress) if run.unfit else _attempted(run, device, progress, debug)
            if device.main:
                store.write_record(out, record, items)
            device.accelerator.wait_for_everyone()
        assert record is not None
        found.append(record)
    return found


def _skipped(run: Run, device: Device, progress: Progress) -> tuple[Record, None]:
    progress.done(f"skipped: {run.unfit}")
    return _unscored(run, device, "skipped", run.unfit), None


def _attempted(run: Run, device: Device, progress: Progress, debug: bool) -> tuple[Record, pd.DataFrame | None]:
    """The run's record and items; of a run that failed, the reason."""
    try:
        record, items = perform(run, device, progress)
        assert record.outcome is not None
        progress.done(record.reason or f"{record.outcome.score.name} {record.outcome.score.value:.3f}")
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
        return _unscored(run, device, "failed", reason), None
    finally:
        device.accelerator.free_memory()


def _unscored(run: Run, device: Device, status: Status, reason: str | None) -> Record:
    return Record(run_id=run.id, status=status, reason=reason, setup=_setup(run), provenance=_provenance(device))


def _setup(run: Run) -> Setup:
    return Setup(
        suite=run.suite,
        model=run.model.name,
        task=run.task.name,
        strategy=run.strategy.name,
        hyperparameters=run.strategy.hyperparameters.model_dump(mode="json"),
        seed=run.seed,
        budget=str(run.budget),
    )


def _provenance(device: Device, **known: Any) -> Provenance:
    """What is known of a run that did not come far, and `known` of one that did."""
    return Provenance(versions=versions(), device=device.describe(), **known)


def perform(run: Run, device: Device, progress: Progress) -> tuple[Record, pd.DataFrame]:
    """One run from data to record, and its items."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    questions = Questions(run, device, progress)
    bases = base_scores.LazyModels(lambda bits: _base(run, bits, device, progress))
    # Measured first, so that its memory and time are not the run's; a row that trains nothing has the base itself.
    checks = selfchecks.of_base(questions, bases)
    baseline = questions.baseline(bases) if run.strategy.trains else None
    bases.forget()
    memory.reset_peak(device.torch.type == "cuda")
    set_seed(run.seed)

    model: nn.Module | Endpoint
    trained = Trained()
    if baseline:
        model, trained = train_stages(questions, baseline, progress)
    else:
        model = run.strategy.client or bases(32)
    after = questions.after(model)
    cost = _api_cost(run, after) if isinstance(model, Endpoint) else _cost(run, model, trained, device, after)
    if baseline:
        checks |= trained.checks
        before = baseline.before
    else:
        checks |= selfchecks.of_untouched(questions, bases, after.probes)
        before = questions.before(bases, after)
        after = replace(after, probes=before.probes)

    forgetting = measures.forgetting(questions, before, after)
    broken = [name for name, held in checks.items() if not held]
    record = Record(
        run_id=run.id,
        status="failed" if broken else "ok",
        reason=f"self-tests that don't hold: {', '.join(broken)}; don't trust this run" if broken else None,
        setup=_setup(run),
        outcome=Outcome(
            **measures.of_task(questions.task, before.task, after.task),
            elsewhere=measures.elsewhere(questions, before, after),
            robustness=measures.robustness(questions.task, after),
            forgetting=forgetting,
            relative_forgetting=measures.relative_forgetting(questions, forgetting),
            curve=trained.curve,
            stages=trained.stages,
            losses=trained.spent.losses,
            validation=trained.validation,
        ),
        cost=cost,
        trust=Trust(checks=checks, contamination=measures.contaminated(questions), data=questions.task.data.notes),
        provenance=_provenance(
            device,
            model_hash=run.model.content_hash,
            data_hash=questions.task.data.content_hash,
            engine_version=ENGINE_VERSION,
            trust_remote_code=run.model.trust_remote_code,
            started=started,
            inputs=run.inputs,
        ),
    )
    return record, measures.items(run.task.name, before, after)


def _cost(run: Run, model: nn.Module, found: Trained, device: Device, after: Answers) -> Cost:
    spent = found.spent
    trained = run.strategy.trained_state(model) if run.strategy.trains else {}
    trainable, total = sizes.parameters(model)
    return Cost(
        train_examples=found.examples,
        train_tokens=spent.tokens,
        train_flops=flops.count(model).training(spent.tokens, spent.positions),
        train_seconds=spent.seconds,
        eval_seconds=after.seconds,
        probe_seconds=after.probe_seconds,
        peak_memory_bytes=memory.peak(device.torch.type == "cuda"),
        trainable_parameters=trainable if trained else 0,
        total_parameters=total,
        saved_bytes=sum(tensor.numel() * tensor.element_size() for tensor in trained.values()),
    )


def _api_cost(run: Run, after: Answers) -> Cost:
    """Nothing is trained and nothing held here; a repeated prompt counts again, as it would in use."""
    prices = run.strategy.hyperparameters
    assert isinstance(prices, EndpointHyperparameters)
    money = after.task["read"].sum() * prices.input_price + after.task["written"].sum() * prices.output_price
    nothing = dict.fromkeys(("train_examples", "train_tokens", "train_flops", "train_seconds", "peak_memory_bytes"), 0)
    held = dict.fromkeys(("trainable_parameters", "total_parameters", "saved_bytes"), 0)
    return Cost(**nothing, **held, eval_seconds=after.seconds, money=float(money) / 1e6)


def _base(run: Run, bits: int, device: Device, progress: Progress) -> nn.Module:
    progress.phase("base model")
    auto = AutoModelForCausalLM if run.model.family == "decoder" else AutoModel
    model: nn.Module = run.model.load(auto, bits, device.torch)
    return model.to(device.torch).eval()

"""One run from data to record: the base is asked, the model is trained, the model is asked, and the two are compared."""

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
from accelerate.utils import set_seed
from torch import nn

from bench.devices import memory
from bench.devices.device import Device
from bench.measuring import checks
from bench.measuring.base_results import FIRST_ITEMS, BaseResults
from bench.measuring.evaluation import Evaluation, Session, TrainingSession, evaluate
from bench.measuring.item_table import item_table
from bench.measuring.loaded_base import LoadedBase
from bench.measuring.untouched import Untouched
from bench.modeling import flops
from bench.modeling.weights import outline
from bench.processes.garbage import set_lasting_objects_aside
from bench.progress import Progress
from bench.records.record import Cost, Record
from bench.running import sizes
from bench.running.adaptation import adapted
from bench.running.budget_account import spending
from bench.running.random_parts import RandomParts
from bench.running.recording import RunResult, recorded
from bench.running.stages import train_stages
from bench.running.tracking import tracked
from bench.runs.run import Run
from bench.runs.run_folder import RunFolder
from bench.tokens.token_counts import TokenCounts
from bench.training.state import TrainingState


def perform(run: Run, device: Device, progress: Progress, folder: RunFolder | None = None) -> tuple[Record, pd.DataFrame]:
    """The run's record, and the table of its items; it goes on from what is kept of it."""
    with tracked(run, device, progress.say) as tracked_records:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        session = Session.of(run, device, progress, folder)
        session.check_as_planned()
        set_lasting_objects_aside()
        untouched = Untouched(session)
        self_tests = untouched.self_tests()
        result = (
            _result_of_training(session, untouched) if run.strategy.trains else _result_without_training(session, untouched)
        )
        result = replace(result, checks=self_tests | result.checks)
        record = recorded(session, result, started)
        tracked_records.append(record)
        return record, _run_item_table(session, result)


def _run_item_table(session: Session, result: RunResult) -> pd.DataFrame:
    wordings = session.run.task.paraphrases("test") if result.after.paraphrases else []
    stages = [evalset.task.spec.name for evalset in session.sets.stages]
    answers = result.training.stage_answers
    return item_table(session.run.task.name, result.before, result.after, wordings, stages, answers, session.simple_answers)


def _result_of_training(session: Session, untouched: Untouched) -> RunResult:
    """A row that trains: the base is asked first, so that its memory and time are not the run's."""
    run, before = session.run, untouched.asked.results()
    peak = _start_own_costs(session, untouched)
    random_parts = RandomParts()
    with random_parts.of("init"):
        model = adapted(run, session.device)
    checked = checks.fresh_adapter(session, before, model.eval())
    frozen = checks.frozen_sums(model)
    if run.varied:  # else the random numbers go on from where adapting left them
        set_seed(run.seeds.dropout)
    with random_parts.of("dropout"):
        begun = session.folder.resume_training(model, peak, session.device, session.progress)
        training = train_stages(session, before, model, begun)
    # What is asked afterwards may hold more.
    peak_bytes = max(session.device.each(max(training.peak_bytes, peak.bytes())))
    session.folder.keep_model(model.eval(), run, session.device, session.progress)
    backend = session.backend(model.eval())
    after = evaluate(backend, session, session.probes)
    cost = cost_of(session, model, training, after, peak)
    spent = spending(run, training, cost.useful_flops or 0, peak_bytes)
    checked |= checks.trained_model(session, model, after, frozen)
    return RunResult(before, after, cost, checked, training, spent, random_parts.parts if run.varied else None)


def _result_without_training(session: Session, untouched: Untouched) -> RunResult:
    """A row that trains nothing: its model is the base, whose kept probe values are its own. It is asked its task, and a few
    items of each probe, which are enough to see that it is the same."""
    peak = _start_own_costs(session, untouched)
    backend, few_probes = untouched.loaded.backend(), [probe.first(FIRST_ITEMS) for probe in session.probes]
    answered = evaluate(backend, session, few_probes)
    cost = cost_of_asking(session, untouched.loaded, answered, peak)
    checked = checks.untouched_row(session, untouched, answered)
    is_base = session.run.wording in session.run.base_wordings
    test = untouched.asked.answers(session.sets.test, known=answered.test if is_base else None)
    probes = untouched.asked.probe_items(session.probes)
    return RunResult(BaseResults(test, probes=probes), replace(answered, probes=probes), cost, checked)


def _start_own_costs(session: Session, untouched: Untouched) -> memory.PeakMemory:
    """From here on memory, time and random numbers are the run's own."""
    untouched.loaded.forget()
    set_seed(session.run.seeds.init)
    return memory.PeakMemory(session.device.torch.type == "cuda")


def cost_of_asking(session: TrainingSession, base: LoadedBase, answered: Evaluation, peak: memory.PeakMemory) -> Cost:
    """What asking an untouched base has come to, on this machine or over an API."""
    model = session.run.model
    if model.needs_device:
        return cost_of(session, base.module(), TrainingState(), answered, peak)
    return model.cost(answered.test, answered.seconds)


def cost_of(
    session: TrainingSession, model: nn.Module | None, training: TrainingState, after: Evaluation, peak: memory.PeakMemory
) -> Cost:
    """What training has come to, and asking afterwards; of a base whose module is held elsewhere nobody knows the size."""
    strategy = session.run.strategy
    trained = model if strategy.trains else None
    kept = {} if trained is None else strategy.trained_state(trained, outline)
    trainable, total = (0, None) if model is None else sizes.parameters(model)
    operations = flops.Flops(TokenCounts()) if trained is None else flops.count_flops(trained)
    peaks = session.device.each(max(training.peak_bytes, peak.bytes()))
    return Cost(
        train_examples=training.examples,
        train_tokens=training.tokens,
        train_flops=operations.computed(training.computed),
        useful_flops=operations.useful(training.useful),
        spared_flops=max(0, operations.spared(training.spared)),  # below 0 where each text came once
        train_seconds=training.seconds,
        others_seconds=training.others_seconds,
        device_seconds=training.seconds * len(peaks),
        eval_seconds=after.seconds,
        probe_seconds=after.probe_seconds,
        peak_memory_bytes=max(peaks),
        peak_memory_per_process=peaks,
        trainable_parameters=trainable if kept else 0,
        total_parameters=total,
        weight_bytes=None if model is None else sizes.held_bytes(model),
        saved_bytes=sum(tensor.numel() * tensor.element_size() for tensor in kept.values()),
    )

"""Runs, one after another: adapt, train, predict, score, probe, and leave a record.

A run that has a record is not run again; a run that fails leaves a record of its reason, and the others go on.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd

from bench.data import sources
from bench.devices import memory
from bench.devices.device import Device
from bench.devices.environment import environment
from bench.errors import BudgetError, TooSlowError, UserError
from bench.modeling.models import Model
from bench.probes import probe_class
from bench.progress import Progress
from bench.records import store
from bench.records.record import Record, Status
from bench.running.finished import is_finished
from bench.running.kept import KEEPING, Keeping, Kept, model_folder, remove_checkpoint
from bench.running.perform import perform
from bench.running.recording import provenance, setup
from bench.running.run import Run
from bench.tasks import splits

Result = TypeVar("Result")


@dataclass(frozen=True)
class Workplace:
    """Where runs and trials are done, where their records lie, and what is kept of them on the way."""

    out: Path
    device: Device
    progress: Progress
    debug: bool = False
    keeping: Keeping = KEEPING

    def kept(self, run_id: str) -> Kept:
        """What a run or a trial has come to so far."""
        return Kept.of(self.out, run_id, self.device, self.progress, self.keeping)


def check_data(runs: Sequence[Run]) -> None:
    """Read all data that the runs need, so that a fault in any of it is told before the first run starts.

    Raises:
        UserError: a file, column, label or split is wrong, or a model's files cannot be fetched.
    """
    for run in runs:
        if isinstance(run.model, Model):
            _ = run.model.folder
        for task in (*run.training_tasks, *run.also):
            splits.load_splits(task)
        for spec, _ in run.probes:
            probe_class(spec).check(spec)
        if run.strategy.rehearsal:
            sources.rows(run.strategy.rehearsal)


def execute(
    runs: Sequence[Run],
    out: Path,
    device: Device,
    progress: Progress,
    debug: bool = False,
    rerun_on_change: bool = False,
    keeping: Keeping = KEEPING,
) -> list[Record]:
    """Run what is not finished yet, from where it was stopped; returns the records of all runs in order."""
    now, records = environment(device.torch.type, device.precision), []
    for run in runs:
        record = store.find_record(out, run.id)
        if not device.agreed(is_finished(record, now, rerun_on_change)):
            progress.start(run.label)
            before, (record, items) = record, _done(run, Workplace(out, device, progress, debug, keeping))
            # A second attempt that fails takes nothing away: what an earlier one has found stays on disk.
            if device.main and not (record.status == "failed" and before is not None and before.status == "ok"):
                store.write_record(out, record, items)
            device.accelerator.wait_for_everyone()
        elif keeping.model and run.strategy.trains and not model_folder(out, run.id).exists():
            progress.say(f"{run.label} has a record and no model: delete {store.folder(out) / run.id}.json to train it again")
        if device.main and record and record.status != "failed":  # a failed one may go on from there
            remove_checkpoint(out, run.id)
        assert record is not None
        records.append(record)
    return records


def _done(run: Run, place: Workplace) -> tuple[Record, pd.DataFrame | None]:
    if run.untuned:
        place.progress.done(f"failed: {run.untuned}")
        return _unscored(run, place.device, "failed", run.untuned), None
    if run.unfit:
        place.progress.done(f"skipped: {run.unfit}")
        return _unscored(run, place.device, "skipped", run.unfit), None
    return _attempted(run, place)


def _attempted(run: Run, place: Workplace) -> tuple[Record, pd.DataFrame | None]:
    """The run's record and items; of a run that failed, the reason."""
    device, progress = place.device, place.progress

    def done() -> tuple[Record, pd.DataFrame | None]:
        record, items = perform(run, device, progress, place.kept(run.id))
        assert record.outcome is not None
        progress.done(record.reason or f"{record.outcome.score.name} {record.outcome.score.value:.3f}")
        return record, items

    def failed(error: Exception) -> tuple[Record, None]:
        # What was too slow may be faster another time; all else of a budget hangs on the question alone.
        beyond = isinstance(error, BudgetError)
        status: Status = "skipped" if beyond and not isinstance(error, TooSlowError) else "failed"
        reason = str(error) if beyond else failure_reason(error)
        progress.done(f"{status}: {reason}")
        return _unscored(run, device, status, reason), None

    return attempted(done, failed, device, place.debug)


def attempted(done: Callable[[], Result], failed: Callable[[Exception], Result], device: Device, debug: bool) -> Result:
    """What `done` gives, or what `failed` makes of its error.

    Raises:
        UserError: the input is wrong, which no other attempt would mend.
        Exception: any but a `BudgetError`, where there are several processes: the others may wait for this one, and the
            launcher must end them all. That a budget does not do they find alike.
    """
    try:
        return done()
    except UserError:
        raise
    except BudgetError as error:
        return failed(error)
    except Exception as error:
        if debug:
            traceback.print_exc()
        if device.accelerator.num_processes > 1:
            raise
        return failed(error)
    finally:
        device.accelerator.free_memory()


def failure_reason(error: Exception) -> str:
    """Why a run failed, in one line."""
    told = " ".join(str(error).split())[:500]
    if memory.ran_out(error):
        return f"out of memory: this machine cannot hold it; a budget with a ceiling, such as 4GB, makes it smaller ({told})"
    return f"{type(error).__name__}: {told}"


def _unscored(run: Run, device: Device, status: Status, reason: str | None) -> Record:
    return Record(run_id=run.id, status=status, reason=reason, setup=setup(run), provenance=provenance(run, device))

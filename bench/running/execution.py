"""Runs, one after another: adapt, train, predict, score, probe, and leave a record.

A run that has a record is not run again; a run that fails leaves a record of its reason, and the others go on.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.devices import memory
from bench.devices.device import Device
from bench.devices.environment import environment
from bench.errors import BrokenOffError, BudgetError, DivergedError, TooSlowError, UserError
from bench.leases.lease import Leases
from bench.records import store
from bench.records.record import Record, Status
from bench.running.assignments import Hands, Recorded, Workplace, in_turn
from bench.running.perform import perform
from bench.running.recording import provenance, setup
from bench.runs.finished import is_finished
from bench.runs.run import Run
from bench.runs.run_folder import checkpoint_folder, model_folder, remove_checkpoint

Result = TypeVar("Result")


@dataclass(frozen=True)
class RunWork:
    """A run that is to be done."""

    run: Run

    @property
    def id(self) -> str:
        return self.run.id

    @property
    def label(self) -> str:
        return self.run.label

    def recorded(self, place: Workplace) -> Record | None:
        return store.find_record(place.out, self.id)

    def do(self, place: Workplace) -> Recorded:
        """The run's record and items; of a run that failed, the reason."""
        run, progress = self.run, place.progress
        if run.untuned:
            # As a run without a search: what no machine can do in the budget is no failure.
            status: Status = "skipped" if all(trial.beyond_budget for trial in run.tuning.tried) else "failed"
            progress.done(f"{status}: {run.untuned}")
            return unscored(run, place.device, status, run.untuned)
        if run.unfit:
            progress.done(f"skipped: {run.unfit}")
            return unscored(run, place.device, "skipped", run.unfit)
        return _attempt_run(run, place)

    def failed(self, place: Workplace, reason: str) -> Recorded:
        return unscored(self.run, place.device, "failed", reason)


def execute(runs: Sequence[Run], place: Workplace, rerun_on_change: bool = False, hands: Hands = in_turn) -> list[Record]:
    """Have done what is not finished yet, from where it was stopped; returns the records of all runs in order."""
    out, now = place.out, environment(place.device.torch.type, place.device.precision)
    works = [RunWork(run) for run in runs]
    done = hands(works, place, lambda work: is_finished(store.find_record(out, work.id), now, rerun_on_change))
    records = []
    for run in runs:
        done_here = done.get(run.id)
        # A shared disk may show a process late what another owner has put there.
        record = place.device.agreed(done_here.record if done_here else store.find_record(out, run.id))
        assert isinstance(record, Record)
        model_wanted = place.keep.model and run.strategy.trains and record.status == "ok"
        if model_wanted and not done_here and not model_folder(out, run.id).exists():
            remedy = f"delete {store.folder(out) / run.id}.json to train it again"
            place.progress.say(f"{run.label} has a record and no model: {remedy}")
        # Of a process that was stopped between the two. With --rerun-on-change another command may be doing the run anew.
        checkpoint_left = place.device.main and checkpoint_folder(out, run.id).is_dir()
        if checkpoint_left and record.status != "failed" and not Leases(out).busy(run.id):
            remove_checkpoint(out, run.id)
        records.append(record)
    return records


def _attempt_run(run: Run, place: Workplace) -> Recorded:
    device, progress = place.device, place.progress

    def done() -> Recorded:
        record, items = perform(run, device, progress, place.run_folder(run.id))
        assert record.outcome is not None
        progress.done(record.reason or f"{record.outcome.score.name} {record.outcome.score.value:.3f}")
        return Recorded(record, items)

    def failed(error: Exception) -> Recorded:
        # What was too slow may be faster another time; all else of a budget hangs on the question alone.
        beyond = isinstance(error, BudgetError)
        status: Status = "skipped" if beyond and not isinstance(error, TooSlowError) else "failed"
        reason = str(error) if beyond else failure_reason(error)
        progress.done(f"{status}: {reason}")
        return unscored(run, device, status, reason)

    return attempted(done, failed, device, place.debug)


def attempted(done: Callable[[], Result], failed: Callable[[Exception], Result], device: Device, debug: bool) -> Result:
    """What `done` gives, or what `failed` makes of its error.

    A wrong input, such as a file that has changed meanwhile or a key that a server refuses, is no reason to keep the others
    from being done.

    Raises:
        BrokenOffError: memory ran out under a launcher, of a single process too, and the same command goes on.
        Exception: where there are several processes, any but those that all of them find alike, of a budget that does not do
            and of a loss that is no number: the others may wait for this one, and the launcher must end them all.
    """
    try:
        return done()
    except BrokenOffError:
        raise
    except (BudgetError, DivergedError) as error:
        return failed(error)
    except Exception as error:
        if debug and not isinstance(error, UserError):
            traceback.print_exc()
        if device.accelerator.num_processes > 1:
            raise
        return failed(error)
    finally:
        device.accelerator.free_memory()


def failure_reason(error: Exception) -> str:
    """Why a run failed, in one line."""
    words = " ".join(str(error).split())[:500]
    if isinstance(error, UserError):
        return words
    if memory.ran_out(error):
        return f"out of memory: this machine cannot hold it; a budget with a ceiling, such as 4GB, makes it smaller ({words})"
    return f"{type(error).__name__}: {words}"


def unscored(run: Run, device: Device, status: Status, reason: str | None) -> Recorded:
    """A run without a result, and why."""
    return Recorded(Record(run_id=run.id, status=status, reason=reason, setup=setup(run), provenance=provenance(run, device)))

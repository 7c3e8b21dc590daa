"""Work that several processes may share: runs and trials, each done once, under a lease, and recorded."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from bench.devices.device import Device
from bench.errors import UnwritableError
from bench.leases.lease import Lease, Leases
from bench.leases.queue import Queue
from bench.progress import Progress
from bench.records import store
from bench.records.record import Record
from bench.records.trial import TrialRecord, write_trial
from bench.runs.run import Run
from bench.runs.run_folder import DEFAULT_KEEP, KeepOptions, RunFolder, remove_checkpoint

POLL = 2.0
"""Seconds between two looks at what others do, where nothing else is left."""


@dataclass(frozen=True)
class Workplace:
    """Where runs and trials are done, where their records lie, and what is kept of them on the way."""

    out: Path
    device: Device
    progress: Progress
    debug: bool = False
    keep: KeepOptions = DEFAULT_KEEP

    def run_folder(self, run_id: str) -> RunFolder:
        """What a run or a trial has come to so far."""
        return RunFolder.of(self.out, run_id, self.device, self.progress, self.keep)


@dataclass(frozen=True)
class Recorded:
    """What a piece of work has come to."""

    record: Record | TrialRecord
    items: pd.DataFrame | None = None

    def write(self, out: Path) -> None:
        if isinstance(self.record, TrialRecord):
            write_trial(out, self.record)
        else:
            store.write_record(out, self.record, self.items)

    def settle(self, lease: Lease, out: Path) -> bool:
        """Put it in place under the lease; False where that was lost, and another's stands or will stand there.

        A second attempt that fails takes nothing away: what an earlier one has found stays on disk.
        """
        record = self.record
        failed = isinstance(record, Record) and record.status == "failed"
        before = store.find_record(out, lease.what) if failed else None
        won = lease.end() if before is not None and before.status == "ok" else lease.put(self.write)
        if won and not failed:  # a failed one may go on from there
            remove_checkpoint(out, lease.what)
        return won


class Assignment(Protocol):
    """A run or a trial that is to be done."""

    @property
    def id(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def run(self) -> Run:
        """What is trained and asked."""

    def recorded(self, place: Workplace) -> Record | TrialRecord | None:
        """What came of it before, as far as that is on disk."""

    def do(self, place: Workplace) -> Recorded:
        """It is done on this process's device; one that fails leaves its reason."""

    def failed(self, place: Workplace, reason: str) -> Recorded:
        """It could not be done."""


IsFinished = Callable[[Assignment], bool]
"""Whether a piece of work need not be done."""
Hands = Callable[[Sequence[Assignment], Workplace, IsFinished], dict[str, Recorded]]
"""Who does pieces of work: gives what was done here, by id. What another owner of the folder has done is on disk by then."""


def in_turn(works: Sequence[Assignment], place: Workplace, finished: IsFinished) -> dict[str, Recorded]:
    """One piece after another, on all processes of this place together."""
    by_id, done, device = {work.id: work for work in works}, dict[str, Recorded](), place.device
    leases = Leases(place.out)
    queue = Queue(list(by_id), leases, lambda name: finished(by_id[name])) if device.main else None
    with leases.beating() if queue and queue.waiting else nullcontext():
        for name, lease in _jobs_in_turn(queue, place):
            place.progress.start(by_id[name].label)
            try:
                done[name] = by_id[name].do(place)
                if queue and lease:
                    # Taken out first: where the lease was lost, another's result stands, and this one counts for nothing.
                    done |= settled(by_id[name], done.pop(name), lease, queue, place)
            except BaseException:
                if lease:
                    lease.let_go()
                raise
            device.accelerator.wait_for_everyone()
    return done


def settled(work: Assignment, recorded: Recorded, lease: Lease, queue: Queue, place: Workplace) -> dict[str, Recorded]:
    """What has come of a piece of work once its result is in place, by its id; nothing where the lease had been lost, so that
    it waits for whoever has it now.

    Raises:
        UnwritableError: a trial's result cannot be written, without which its search would choose otherwise. A run whose result
            can't be has failed, and the others go on.
    """
    try:
        if recorded.settle(lease, place.out):
            return {work.id: recorded}
    except UnwritableError as error:
        if isinstance(recorded.record, TrialRecord):
            raise
        lease.let_go()
        place.progress.say(f"{work.label}: {error}")
        return {work.id: work.failed(place, str(error))}
    place.progress.say("done in vain: this process stood still for so long that another took the run over")
    queue.put_back(work.id)
    return {}


def _jobs_in_turn(queue: Queue | None, place: Workplace) -> Iterator[tuple[str, Lease | None]]:
    """One job after another, the same on all processes; the main one has the queue, and the lease of each job."""
    announced = False
    while True:
        lease = queue.take() if queue else None
        left = len(queue.waiting) if queue else 0
        name, left = place.device.agreed((lease.what if lease else "", left))
        if name:
            yield name, lease
        elif left:
            if not announced:
                place.progress.say(waiting_sentence(left))
            announced = True
            time.sleep(POLL)
        else:
            return


def waiting_sentence(count: int) -> str:
    return f"waiting for {count} that another tunebench on this output folder is doing"

"""What waits to be done, in order, and handed out under leases: the one queue of all ways in which a suite is run."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.sharing.lease import Lease, Leases

TRIES = 3
"""How often a job is begun whose worker is lost each time."""


@dataclass(frozen=True)
class Job:
    """Something that waits: a run, or a trial of a search."""

    id: str
    devices: int = 1
    """That it needs at once."""


@dataclass(frozen=True)
class Handed:
    """A job that somebody is doing, and the right to it."""

    job: Job
    lease: Lease


class Queue:
    """Jobs wait until they are done: here, or by another owner of the same folder."""

    def __init__(self, jobs: Sequence[Job], leases: Leases, finished: Callable[[str], bool] = lambda _: False) -> None:
        """Hand out the first jobs first.

        Args:
            finished: whether a job need not be done, whatever other owners do.
        """
        self._leases, self._finished = leases, finished
        self._lost = Counter[str]()
        before = leases.attempts()
        self._first = {job.id: sum(before.get(job.id, (1, False))) for job in jobs}  # of the attempt that is open, or would be
        # Only now: what another puts in place from here on is found by its attempt.
        self._waiting = {job.id: job for job in jobs if not finished(job.id)}

    @property
    def waiting(self) -> list[Job]:
        """Jobs that nobody here has been handed, and of which nobody elsewhere is known to have done them."""
        return list(self._waiting.values())

    def take(self, devices: int = 1) -> Handed | None:
        """The first job that so many devices hold and that nobody else does now."""
        attempts = self._leases.attempts() if self._waiting else {}
        for job in self.waiting:
            last, ended = attempts.get(job.id, (1, False))
            if self._tried(job, last + ended):
                del self._waiting[job.id]
            elif job.devices > devices or (not ended and self._leases.held(job.id, last)):
                continue
            elif lease := self._leases.claim(job.id, last):
                del self._waiting[job.id]
                # Between the look and the lease another may have come to its end.
                if not self._tried(job, lease.number) and not self._finished(job.id):
                    return Handed(job, lease)
                lease.give_back()
        return None

    def lost(self, handed: Handed) -> bool:
        """The worker that did the job is gone. Whether it is handed out again, or has been too often."""
        self._lost[handed.job.id] += 1
        if self._lost[handed.job.id] == TRIES:
            return False
        handed.lease.give_back()
        self.put_back(handed)
        return True

    def put_back(self, handed: Handed) -> None:
        """The job waits again, ahead of all others, until it is done here or elsewhere."""
        self._waiting = {handed.job.id: handed.job, **self._waiting}

    def _tried(self, job: Job, number: int) -> bool:
        """Whether an attempt before that of this number was done to its end while this queue is there."""
        return self._leases.tried(job.id, range(self._first[job.id], number))

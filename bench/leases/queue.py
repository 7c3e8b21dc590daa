"""What waits to be done, in order, and handed out under leases: the one queue of all ways in which a suite is run."""

from collections import Counter
from collections.abc import Callable, Sequence

from bench.leases.lease import Lease, Leases

TRIES = 3
"""How often a job is begun whose worker is lost each time."""

HALVINGS = 16
"""How often a job may be broken off to go on in smaller micro-batches. That is more than a million tokens can be halved: one
that is broken off oftener has not kept its size, as on a full disk."""


class Queue:
    """Jobs, which are runs and trials by their ids, wait until they are done: here, or by another owner of the same folder."""

    def __init__(self, jobs: Sequence[str], leases: Leases, finished: Callable[[str], bool] = lambda _: False) -> None:
        """Hand out the first jobs first.

        Args:
            finished: whether a job need not be done, whatever other owners do.
        """
        self._leases, self._finished = leases, finished
        self._lost, self._broken_off = Counter[str](), Counter[str]()
        self._ahead = set[str]()
        before = leases.attempts()
        self._first = {job: sum(before.get(job, (1, False))) for job in jobs}  # of the attempt that is open, or would be
        # Only now: what another puts in place from here on is found by its attempt.
        self._waiting = [job for job in jobs if not finished(job)]

    @property
    def waiting(self) -> list[str]:
        """Jobs that nobody here has been handed, and of which nobody elsewhere is known to have done them."""
        return list(self._waiting)

    def arrange(self, seconds: Callable[[str], float]) -> None:
        """From here on the longest first, after what was put back."""
        self._waiting.sort(key=lambda job: (job not in self._ahead, -seconds(job)))

    def take(self) -> Lease | None:
        """The right to the first job that nobody else does now."""
        attempts = self._leases.attempts() if self._waiting else {}
        for job in self.waiting:
            last, ended = attempts.get(job, (1, False))
            # True counts as 1: it is the number of the attempt that is open, or would be the next.
            if self._tried(job, last + ended):
                # Its files may not be in place yet: whoever did it was stopped meanwhile, or its disk is slow.
                self._leases.settle(job, range(self._first[job], last + ended))
                self._waiting.remove(job)
            elif not ended and self._leases.in_hand(job, last):
                continue
            elif lease := self._leases.claim(job, last):
                self._waiting.remove(job)
                # Between the look and the lease another may have come to its end.
                if not self._tried(job, lease.number) and not self._finished(job):
                    return lease
                lease.give_back()
        return None

    def lost(self, lease: Lease) -> bool:
        """The worker that did the job is gone. Whether it is handed out again, or has been too often."""
        return self._handed_out_again(lease, self._lost, TRIES - 1)

    def broken_off(self, lease: Lease) -> bool:
        """The job is to go on in smaller micro-batches. Whether it is handed out again, or has been too often."""
        return self._handed_out_again(lease, self._broken_off, HALVINGS)

    def _handed_out_again(self, lease: Lease, times: Counter[str], most: int) -> bool:
        times[lease.what] += 1
        if times[lease.what] > most:
            return False
        lease.give_back()
        self.put_back(lease.what)
        return True

    def put_back(self, job: str) -> None:
        """It waits again, ahead of all others, until it is done here or elsewhere."""
        self._ahead.add(job)
        self._waiting.insert(0, job)

    def _tried(self, job: str, number: int) -> bool:
        """Whether an attempt before that of this number was done to its end while this queue is there."""
        return self._leases.tried(job, range(self._first[job], number))

"""Work is given to workers, longest first, under leases; a worker that is lost is replaced, and its run done again."""

import queue
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from bench.errors import RunError, UserError
from bench.leases.lease import Lease, Leases
from bench.leases.queue import HALVINGS, TRIES, Queue
from bench.placing.costs import seconds_taken
from bench.placing.forecast import Forecast, Predictors
from bench.placing.messages import Ending, Message, Post
from bench.placing.slot import Slot
from bench.placing.view import View
from bench.records.record import Record
from bench.records.trial import TrialRecord
from bench.running.assignments import POLL, Assignment, IsFinished, Recorded, Workplace, in_turn, settled, waiting_sentence


class Worker(Protocol):
    """Somebody who does one piece of work after another on a device, and posts what comes of it."""

    slot: Slot

    def give(self, work: Assignment) -> None: ...

    def ask_to_stop(self) -> None: ...

    def end(self, at_once: bool = False) -> None: ...


Hire = Callable[[Slot, Post], Worker]
"""A new worker for a slot; it posts that it is ready."""
PredictorsOf = Callable[[Assignment], Predictors]
"""What the seconds of a piece of work hang on."""
Arranging = Callable[[Sequence[Assignment]], Iterable[tuple[Sequence[Slot], Sequence[Assignment]]]]
"""Workers on which parts of the machine do which work: one arrangement after another."""


class WorkerPool:
    """Workers that stay for all that is given to them: they load their libraries once."""

    def __init__(self, arrange: Arranging, hire: Hire, predictors_of: PredictorsOf, view: View) -> None:
        self._arrange, self._hire, self._predictors_of, self._view = arrange, hire, predictors_of, view
        self._forecast = Forecast()
        self._slots: Sequence[Slot] = ()
        self._inbox = queue.SimpleQueue[Message]()
        self._workers: dict[int, Worker] = {}
        self._ready: list[int] = []
        self._busy: dict[int, Lease] = {}
        self._endings: dict[int, tuple[Ending, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """A worker that does a run comes to the end of its step and keeps it, but for Ctrl-C."""
        self._dismiss(kind is None or issubclass(kind, KeyboardInterrupt))
        for lease in self._busy.values():
            lease.let_go()
        self._view.close()

    def __call__(self, works: Sequence[Assignment], place: Workplace, finished: IsFinished) -> dict[str, Recorded]:
        """Longest first, by all workers of an arrangement at once; one piece of work each.

        Raises:
            UserError: the input is wrong.
            RunError: no worker can be started.
        """
        # A model behind an API needs no device, and answers that it is asked for twice at once are paid twice.
        recorded = in_turn([work for work in works if not work.run.model.needs_device], place, finished)
        waiting = [work for work in works if work.run.model.needs_device and not finished(work)]
        predictors_by_id = {work.id: self._predictors_of(work) for work in waiting}
        self._remember(works, predictors_by_id, place)
        seconds = {name: self._forecast.seconds(predictors) for name, predictors in predictors_by_id.items()}
        waiting.sort(key=lambda work: seconds[work.id], reverse=True)
        self._view.plan(seconds)
        leases = Leases(place.out)
        parts = self._arrange(waiting)
        shifts = [(slots, _Shift.of(group, predictors_by_id, place, leases, finished)) for slots, group in parts]
        with leases.beating() if waiting else nullcontext():
            for slots, shift in shifts:
                self._settle_on(slots)
                self._do(shift)
                recorded |= shift.done
        return recorded

    def _remember(self, works: Sequence[Assignment], waiting: Mapping[str, Predictors], place: Workplace) -> None:
        """Learn from what was done before, as far as it is of a kind that waits: one of each kind tells enough."""
        kinds = {predictors.kind for predictors in waiting.values()}
        for work in works:
            if work.id not in waiting and work.run.model.needs_device:
                predictors = self._predictors_of(work)
                if predictors.kind in kinds and not self._forecast.knows(predictors) and (record := work.recorded(place)):
                    self._learn(predictors, record)

    def _learn(self, predictors: Predictors, record: Record | TrialRecord) -> bool:
        """Whether that moves the forecasts of other work."""
        seconds = seconds_taken(record)
        return seconds is not None and self._forecast.learn(predictors, seconds)

    def _do(self, shift: "_Shift") -> None:
        while shift.queue.waiting or self._busy:
            self._hand_out(shift)
            try:
                self._hear(self._inbox.get(timeout=POLL), shift)
            except queue.Empty:
                self._view.look(shift.elsewhere(self._busy.values()))

    def _settle_on(self, slots: Sequence[Slot]) -> None:
        """Workers that are there stay for other work; they go where others are to be on these parts of the machine."""
        if slots != self._slots:
            self._dismiss(at_once=True)
            self._slots = slots
            self._view.settle_on(slots)

    def _dismiss(self, at_once: bool) -> None:
        for worker in self._workers.values():
            worker.ask_to_stop()
        for worker in self._workers.values():
            worker.end(at_once)
        # A new inbox too: what those who go still say would be taken for their successors', whose slots have the same numbers.
        self._workers, self._ready, self._endings, self._inbox = {}, [], {}, queue.SimpleQueue()

    def _hand_out(self, shift: "_Shift") -> None:
        while self._ready and (lease := shift.queue.take()):
            number = self._ready.pop(0)
            self._busy[number] = lease
            work = shift.by_id[lease.what]
            self._view.begins(number, work)
            self._workers[number].give(work)
        if self._ready and not self._busy and shift.queue.waiting:
            self._view.say_once(waiting_sentence(len(shift.queue.waiting)))
        idle = [slot for slot in self._slots if slot.number not in self._workers]
        starting = len(self._workers) - len(self._ready) - len(self._busy)
        for slot in idle[: max(0, len(shift.queue.waiting) - starting - len(self._ready))]:
            self._workers[slot.number] = self._hire(slot, self._inbox.put)

    def _hear(self, message: Message, shift: "_Shift") -> None:
        number = message.worker
        match message.kind:
            case "ready":
                self._ready.append(number)
            case "wrong":
                raise UserError(message.content)
            case "done":
                lease = self._busy.pop(number)
                self._ready.append(number)
                shift.settle(lease, message.content)
                self._view.ends(number, lease.what)
                if self._learn(shift.predictors_by_id[lease.what], message.content.record):
                    self._expect(shift)
            case "ending":
                self._endings[number] = message.content
            case "lost":
                self._lost(number, message.content, shift)
            case _:
                self._view.hears(message)

    def _expect(self, shift: "_Shift") -> None:
        seconds = {name: self._forecast.seconds(predictors) for name, predictors in shift.predictors_by_id.items()}
        shift.queue.arrange(seconds.__getitem__)
        self._view.expect(seconds)

    def _lost(self, number: int, reason: str, shift: "_Shift") -> None:
        """Its slot gets a new worker while anything waits."""
        self._workers.pop(number).end()
        how, reason = self._endings.pop(number, ("error", reason))
        if number in self._ready:
            self._ready.remove(number)
        elif (lease := self._busy.pop(number, None)) is None:
            raise RunError(f"a worker on {self._slots[number].name} could not be started: {reason}")
        elif how == "failed":
            self._fails(number, lease, reason, shift)
        elif how == "broken off" and shift.queue.broken_off(lease):
            self._view.lost(number, f"{reason}; the run goes on in smaller ones")
        elif how == "error" and shift.queue.lost(lease):
            self._view.lost(number, f"{reason}; the run is done again")
        else:
            times = f"broken off {HALVINGS + 1}" if how == "broken off" else f"lost {TRIES}"
            self._fails(number, lease, f"its worker was {times} times; the last time {reason}", shift)

    def _fails(self, number: int, lease: Lease, reason: str, shift: "_Shift") -> None:
        shift.settle(lease, shift.by_id[lease.what].failed(shift.place, reason))
        self._view.hears(Message(number, "result", f"failed: {reason}"))
        self._view.ends(number, lease.what)


@dataclass(frozen=True)
class _Shift:
    """What is being done on one arrangement."""

    by_id: dict[str, Assignment]
    predictors_by_id: Mapping[str, Predictors]
    place: Workplace
    queue: Queue
    done: dict[str, Recorded]

    @classmethod
    def of(
        cls,
        works: Sequence[Assignment],
        predictors_by_id: Mapping[str, Predictors],
        place: Workplace,
        leases: Leases,
        finished: IsFinished,
    ) -> "_Shift":
        by_id = {work.id: work for work in works}
        return cls(by_id, predictors_by_id, place, Queue(list(by_id), leases, lambda name: finished(by_id[name])), {})

    def elsewhere(self, busy: Iterable[Lease]) -> set[str]:
        """What others have done."""
        return self.by_id.keys() - self.done.keys() - set(self.queue.waiting) - {lease.what for lease in busy}

    def settle(self, lease: Lease, recorded: Recorded) -> None:
        self.done.update(settled(self.by_id[lease.what], recorded, lease, self.queue, self.place))

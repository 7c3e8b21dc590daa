"""Workers that are threads, and runs that take no time."""

import queue
import threading
from dataclasses import dataclass

from bench.placing.messages import Message
from bench.running.execution import unscored


@dataclass(frozen=True)
class Imagined:
    """A run that is over at once."""

    run: object
    id: str
    done: list

    @property
    def label(self):
        return f"imagined {self.id}"

    def recorded(self, place):
        return None

    def do(self, place):
        self.done.append(self.id)
        return self._recorded(place, "skipped", "imagined")

    def failed(self, place, reason):
        return self._recorded(place, "failed", reason)

    def _recorded(self, place, status, reason):
        recorded = unscored(self.run, place.device, status, reason)
        return type(recorded)(recorded.record.model_copy(update={"run_id": self.id}))


def imagined(run, name, done):
    return Imagined(run, name, done)


class ThreadWorker:
    """It does what it is given, or what a test has in store for it: `dies_at` names runs, once for each death, and `says` has
    what its own words are each time."""

    def __init__(self, slot, post, place, dies_at=(), wrong="", stillborn="", says=()):
        self.slot, self._post, self._place, self._dies_at, self._wrong = slot, post, place, dies_at, wrong
        self._says = says
        self._inbox, self.ended = queue.SimpleQueue(), False
        self._post(Message(slot.number, "lost", stillborn) if stillborn else Message(slot.number, "ready"))
        threading.Thread(target=self._live, daemon=True).start()

    def give(self, work):
        self._inbox.put(work)

    def ask_to_stop(self):
        self._inbox.put(None)

    def end(self, at_once=False):
        self.ended, self.at_once = True, at_once

    def _live(self):
        number = self.slot.number
        while work := self._inbox.get():
            if work.id in self._dies_at:
                self._dies_at.remove(work.id)
                if self._says:
                    self._post(Message(number, "ending", self._says.pop(0)))
                self._post(Message(number, "lost", "struck by a test"))
                return
            if self._wrong:
                self._post(Message(number, "wrong", self._wrong))
            else:
                self._post(Message(number, "result", "fine"))
                self._post(Message(number, "done", work.do(self._place)))

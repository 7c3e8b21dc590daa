"""A run is asked to stop, by SIGTERM or SIGUSR1: it ends at once, but for a training, which does its step and is kept first.

Like KeyboardInterrupt, `Stopped` is no error of the run, so that nothing which records failures takes it for one.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
STATUS = 75
"""Exit status of a run that was stopped and can go on: EX_TEMPFAIL of <sysexits.h>, for which schedulers try again."""
BROKEN_OFF = 71
"""Of one that nobody stopped: memory ran out under several processes, and the same command goes on in smaller micro-batches.
EX_OSERR of <sysexits.h>; launch/slurm.sh gives the command again at once."""


class Stopped(BaseException):
    """The message says how far the work has come."""


class _Heard:
    """What this process was told."""

    def __init__(self) -> None:
        self.signal = ""
        self.deferring = 0


_heard = _Heard()


def keep_waiting() -> None:
    """Let signals wait until this process listens: it may take seconds to import what it needs, and would end or miss them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def listen() -> None:
    """From here on this process stops when it is asked to; call it once, on the main thread."""
    _heard.signal, _heard.deferring = "", 0
    for number in SIGNALS:
        signal.signal(number, _hear)
    # Only now: what came while it was blocked is handed over at once, and must find its handler.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    signal.signal(signal.SIGALRM, _raise)
    sys.unraisablehook = _swallowed


def deafen() -> None:
    """This process is ending: nothing breaks that off."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def stop_signal() -> str:
    """The name of the signal that asked this process to stop; empty where none did."""
    return _heard.signal


@contextmanager
def deferred() -> Iterator[None]:
    """Whoever enters looks at `stop_signal` by itself, and stops where nothing is lost by it. Where it leaves without having
    done so, as by an error, it is stopped then."""
    _heard.deferring += 1
    try:
        yield
    finally:
        _heard.deferring -= 1
        error = sys.exception()
        if _heard.signal and not _heard.deferring and not isinstance(error, Stopped):
            raise Stopped(f"stopped by {_heard.signal}") from error


def _hear(number: int, frame: FrameType | None) -> None:
    first, _heard.signal = not _heard.signal, signal.Signals(number).name
    # Once: what is being tidied up for the first signal must not be broken off by the second.
    if first:
        _raise(number, frame)


def _raise(number: int, frame: FrameType | None) -> None:
    if not _heard.deferring:
        raise Stopped(f"stopped by {_heard.signal}")


def _swallowed(unraisable: "sys.UnraisableHookArgs") -> None:
    """A signal that came while an object was being freed: Python drops what is raised there. It is raised again soon."""
    if issubclass(unraisable.exc_type, Stopped):
        signal.setitimer(signal.ITIMER_REAL, 0.01)
    else:
        sys.__unraisablehook__(unraisable)

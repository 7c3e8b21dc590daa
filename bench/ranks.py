"""Being one of several processes that a launcher has started: who speaks, how a process ends, and that none is left alone."""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from bench import stopping

STATUS_FILE = "TUNEBENCH_STATUS"
"""Environment variable with the path of a file for the exit status, which a launcher of processes would change."""
WAIT_FOR_MAIN = 10.0
"""Seconds for which another process waits for the main one to say what is wrong, before it says so itself."""
PR_SET_PDEATHSIG = 1
"""<sys/prctl.h>"""


def rank() -> int:
    """This process's number among all; 0 is the main one, and one that is alone."""
    return int(os.environ.get("RANK") or 0)


def follow_launcher() -> None:
    """End with the launcher: Accelerate's own leaves its processes behind when a signal ends it. Only Linux knows how."""
    if "ACCELERATE_MIXED_PRECISION" in os.environ or STATUS_FILE in os.environ:
        end_with_parent()


def end_with_parent() -> None:
    """Have the kernel send this process SIGTERM when the one that started it is gone."""
    if hasattr(libc := ctypes.CDLL(None), "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end_now(sentence: str) -> None:
    """End this process from any of its threads, whatever the others are at."""
    print(sentence, file=sys.stderr, flush=True)
    _leave_status(1)
    os._exit(1)


def leave(status: int, sentence: str = "") -> None:
    """End this process. What is wrong is mostly found by all alike, so that the main one alone says it; another one, which may
    be the only one that knows, waits to be ended, and speaks when it was not."""
    number = rank()
    if sentence and number:
        if status == stopping.STATUS or stopping.asked():
            sentence = ""  # all of them were told to stop
        else:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            time.sleep(WAIT_FOR_MAIN)
            sentence = f"rank {number}: {sentence}"
    if sentence:
        print(sentence, file=sys.stderr, flush=True)
    if sentence or not int(os.environ.get("LOCAL_RANK") or 0):
        _leave_status(status)
    # A launcher that is told of a failure ends the other processes, which may still be writing, and says so at length.
    agreed = not sentence or status == stopping.STATUS
    sys.exit(0 if os.environ.get(STATUS_FILE) and agreed else status)


def _leave_status(status: int) -> None:
    if path := os.environ.get(STATUS_FILE):
        with suppress(OSError):  # on a full disk the launcher's own status stands
            Path(path).write_text(str(status), encoding="utf-8")

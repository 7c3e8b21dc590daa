"""Being one of several processes that a launcher has started: who speaks, how a process ends, and that none is left alone."""

import ctypes
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from bench.processes import stopping

STATUS_FILE = "TUNEBENCH_STATUS"
"""Environment variable with the path of a file for the exit status, which a launcher of processes would change."""
ERROR_FILE = "TORCHELASTIC_ERROR_FILE"
"""Environment variable with the path of a file for what went wrong, as torch.distributed.elastic has it."""
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
    """End this process from any of its threads, whatever the others are at. Where one of them has left since all are to stop,
    this one was waiting for it and could not hear: nothing is wrong."""
    if _read(STATUS_FILE) == str(stopping.STATUS):
        os._exit(0)
    _say(sentence)
    _write(STATUS_FILE, "1")
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
        _say(sentence)
    # Whoever hears first that all are to stop says it for those who can't hear meanwhile.
    if sentence or status == stopping.STATUS or not int(os.environ.get("LOCAL_RANK") or 0):
        _write(STATUS_FILE, str(status))
    # A launcher that is told of a failure ends the other processes, which may still be writing, and says so at length.
    agreed = not sentence or status == stopping.STATUS
    sys.exit(0 if os.environ.get(STATUS_FILE) and agreed else status)


def _say(sentence: str) -> None:
    """At once, and to torch's launcher, which shows it once more as the cause at the end of its own report."""
    print(sentence, file=sys.stderr, flush=True)
    cause = {"message": sentence, "extraInfo": {"timestamp": str(int(time.time()))}}
    _write(ERROR_FILE, json.dumps({"message": cause}))


def _read(variable: str) -> str:
    """What the file holds that an environment variable names; empty where there is none."""
    try:
        return Path(os.environ[variable]).read_text(encoding="utf-8")
    except (KeyError, OSError):
        return ""


def _write(variable: str, text: str) -> None:
    """Into the file that an environment variable names, if it does."""
    if path := os.environ.get(variable):
        with suppress(OSError):  # on a full disk the launcher knows the status alone
            Path(path).write_text(text, encoding="utf-8")

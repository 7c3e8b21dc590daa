"""Being one of several processes that a launcher has started: who speaks, how a process ends, and that none is left alone."""

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

from bench.process_identity import has_ended, machine, process_start
from bench.processes import stopping

STATUS_FILE = "TUNEBENCH_STATUS"
"""Environment variable with the path of a file for the exit status, which a launcher of processes would change."""
ENDING_FILE = "TUNEBENCH_ENDING"
"""Environment variable with the path of a file for why this process ends, or one that was started beside it."""
ERROR_FILE = "TORCHELASTIC_ERROR_FILE"
"""Environment variable with the path of a file for what went wrong, as torch.distributed.elastic has it."""
LAUNCHER = "TUNEBENCH_LAUNCHER"
"""Environment variable with the machine, number and birth of the process that started this one."""
SAID = "what is wrong is said above, before the launcher's own report"
"""Stands in that report in place of the sentence, which is said once."""
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
    """Have the kernel send this process SIGTERM when the one that started it is gone, or do so where it is gone already: this
    process took a while until it could ask."""
    parent = os.getppid()
    if hasattr(libc := ctypes.CDLL(None), "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent or _launcher_ended():
            os.kill(os.getpid(), signal.SIGTERM)


def name_as_launcher(environment: MutableMapping[str, str] = os.environ) -> None:
    """Tell the processes that are started with this environment which one has started them."""
    environment[LAUNCHER] = json.dumps([machine(), os.getpid(), process_start(os.getpid())])


def _launcher_ended() -> bool:
    """Whether the process that said that it starts this one is gone; one of another machine is not known of."""
    try:
        return has_ended(*json.loads(os.environ.get(LAUNCHER, ""))) is True
    except (ValueError, TypeError):
        return False


def end_now(sentence: str) -> None:
    """End this process from any of its threads, whatever the others are at. Where one of them has left since all are to stop,
    or go on in smaller micro-batches, this one was waiting for it and could not hear: nothing is wrong."""
    if _named_file_text(STATUS_FILE) in (str(stopping.STATUS), str(stopping.BROKEN_OFF)):
        os._exit(0)
    _say_cause(sentence)
    _tell_status(1)
    os._exit(1)


def tell_ending(*words: str) -> None:
    """To whoever has started the processes, before this one leaves. What was told first stands: others may end by it."""
    if not _named_file_text(ENDING_FILE):
        write_for_launcher(ENDING_FILE, json.dumps(words))


def leave(status: int, sentence: str = "") -> None:
    """End this process. What is wrong is mostly found by all alike, so that the main one alone says it; another one, which may
    be the only one that knows, waits to be ended, and speaks when it was not."""
    number = rank()
    agreed = not sentence or status == stopping.STATUS
    if sentence and number:
        if agreed or stopping.stop_signal():
            sentence = ""  # all of them were told to stop
        else:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, stopping.SIGNALS)  # where it never came to listen
            time.sleep(WAIT_FOR_MAIN)
            sentence = f"rank {number}: {sentence}"
    if sentence:
        _say_cause(sentence)
    # Whoever hears first that all are to stop says it for those who can't hear meanwhile.
    if sentence or status == stopping.STATUS or not int(os.environ.get("LOCAL_RANK") or 0):
        _tell_status(status)
    # A launcher that is told of a failure ends the other processes, which may still be writing, and says so at length.
    sys.exit(0 if os.environ.get(STATUS_FILE) and (agreed or not sentence) else status)


def tell_killed() -> None:
    """By a launcher: a process was killed, and the others were ended for it, who say that they were asked to stop."""
    if path := os.environ.get(STATUS_FILE):
        with suppress(OSError):  # on a full disk the others' status stands
            killed_file(Path(path)).touch()


def killed_file(status_file: Path) -> Path:
    """Is there where a process was killed."""
    return status_file.with_name("killed")


def _say_cause(sentence: str) -> None:
    """At once, unless another process of this launch has said why it ends: what comes after is said of the same, or follows
    from it. Torch's launcher, whose own report comes last, is told that it has been said."""
    if not _speaks_first():
        return
    print(sentence, file=sys.stderr, flush=True)
    cause = {"message": SAID, "extraInfo": {"timestamp": str(int(time.time()))}}
    write_for_launcher(ERROR_FILE, json.dumps({"message": cause}))


def _speaks_first() -> bool:
    """Torch's launcher has a folder for each process, within one of all that it has started together on this machine."""
    if not (path := os.environ.get(ERROR_FILE)):
        return True
    try:
        (Path(path).parents[1] / "said").touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:  # what can't be noted is rather said twice
        return True
    return True


def _tell_status(status: int) -> None:
    """What was told first stands: of the others a launcher makes an end, and they leave as if they had been asked to stop."""
    if _named_file_text(STATUS_FILE) in ("", "0"):
        write_for_launcher(STATUS_FILE, str(status))


def _named_file_text(variable: str) -> str:
    """What the file holds that an environment variable names; empty where there is none."""
    try:
        return Path(os.environ[variable]).read_text(encoding="utf-8")
    except (KeyError, OSError):
        return ""


def write_for_launcher(variable: str, text: str) -> None:
    """Into the file that an environment variable names, if it does."""
    if path := os.environ.get(variable):
        with suppress(OSError):  # on a full disk the launcher knows the status alone
            Path(path).write_text(text, encoding="utf-8")

"""`accelerate launch` without its traceback: what went wrong its processes have said, but for one that was killed.

`python -m bench.processes.quiet_launcher launch --config_file ... bench/run.py ...` takes the arguments of `accelerate`.
"""

import logging
import os
import signal
import subprocess
import sys

from accelerate.commands.accelerate_cli import main as accelerate
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from bench.processes.heartbeat import phase_of_dead
from bench.processes.ranks import end_with_parent, name_as_launcher, tell_killed


def quiet_launch() -> None:
    """The exit status is 0, or 1 where a process failed."""
    end_with_parent()
    name_as_launcher()
    if "LOGLEVEL" not in os.environ:  # by which a person has torch's launcher report each failure at length
        logging.disable(logging.ERROR)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # meant for the processes, which listen to it themselves
    try:
        accelerate()
    except ChildFailedError as error:
        for rank, failure in sorted(error.failures.items()):
            if sentence := killed(rank, failure.exitcode, phase_of_dead(rank)):
                print(sentence, file=sys.stderr)
                tell_killed()
                break  # of the others the launcher itself made an end
        sys.exit(1)
    except subprocess.CalledProcessError as error:
        if sentence := killed(0, error.returncode):
            print(sentence, file=sys.stderr)
            tell_killed()
        sys.exit(1)
    except SignalException as error:
        sys.exit(128 + error.sigval)
    except (ValueError, OSError, ImportError, RuntimeError) as error:  # of the launcher itself, before any process
        reason = " ".join(str(error).split())
        print(f"error: accelerate launch: {reason}; correct the launch file", file=sys.stderr)
        sys.exit(1)


def killed(rank: int, exitcode: int, last_phase: str = "") -> str:
    """What is said of a process that can't say it itself; empty of one that could."""
    if exitcode >= 0 or -exitcode == signal.SIGTERM:
        return ""
    why = "; the machine may have run out of memory" if -exitcode == signal.SIGKILL else ""
    name = signal.Signals(-exitcode).name
    where = f"; {last_phase}" if last_phase else ""
    return f"error: rank {rank} was ended by {name}{where}{why}; the same command goes on from the last checkpoint"


if __name__ == "__main__":
    quiet_launch()

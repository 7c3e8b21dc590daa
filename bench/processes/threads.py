"""How OpenMP's threads wait for each other; call it before anything is imported that has such threads.

By default GNU's OpenMP, which torch computes with, lets a thread that waits spin for milliseconds. Where others want the core
too it then spins while the thread that it waits for is kept from running: a training takes many times as long. Where nobody
does, to sleep too soon costs a sixth, as every product of matrices ends with a wait. So a thread spins for somewhat longer than
most waits of a training take, and where nobody else computes at the start for longer than nearly all of them.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

SPINS = "3000"
"""Looks at the other before a thread goes to sleep; GNU's own default is 300,000."""
SPINS_ALONE = "10000"
"""Where nobody else computes. Not more, since somebody may begin later: two at once then take a third longer than with `SPINS`,
and with GNU's default nearly three times as long."""
LOAD = Path("/proc/loadavg")
OWN = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""Where a person has set one of these, it stands."""
CORES = "TUNEBENCH_CORES"
"""Environment variable: how many of the machine's cores this process may use, where others have the rest and none is kept to
cores of its own, as on a cluster."""


def spin_briefly(environment: MutableMapping[str, str] = os.environ) -> None:
    """For this process, and those that it starts."""
    if not any(environment.get(name) for name in OWN):
        environment["GOMP_SPINCOUNT"] = SPINS_ALONE if _alone() else SPINS


def _alone() -> bool:
    """Whether this thread is the only one on the machine that runs or could. Asked of this moment: the load of the last minute
    would still hold what was installed before."""
    try:
        runnable = LOAD.read_text().split()[3]  # such as 1/86: so many of all threads
        return int(runnable.split("/")[0]) <= 1
    except (OSError, IndexError, ValueError):  # no Linux
        return False

"""How OpenMP's threads wait for each other; call it before anything is imported that has such threads.

By default GNU's OpenMP, which torch computes with, lets a thread that waits spin for milliseconds. Where others want the core
too it then spins while the thread that it waits for is kept from running: a training takes many times as long. Where nobody
does, to sleep too soon costs a sixth, as every product of matrices ends with a wait. So a thread spins for somewhat longer than
most waits of a training take.
"""

import os
from collections.abc import MutableMapping

SPINS = "3000"
"""Looks at the other before a thread goes to sleep; GNU's own default is 300,000."""
OWN = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""Where a person has set one of these, it stands."""
CORES = "TUNEBENCH_CORES"
"""Environment variable: how many of the machine's cores this process may use, where others have the rest and none is kept to
cores of its own, as on a cluster."""


def spin_briefly(environment: MutableMapping[str, str] = os.environ) -> None:
    """For this process, and those that it starts."""
    if not any(environment.get(name) for name in OWN):
        environment["GOMP_SPINCOUNT"] = SPINS

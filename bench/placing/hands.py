"""Who does a suite's runs: this process, one after another, or workers that it gives them to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from bench.devices.hardware import processes
from bench.errors import UserError
from bench.placing import cluster
from bench.placing.costs import bytes_held, flops
from bench.placing.local import LocalWorker
from bench.placing.messages import WorkerSetting
from bench.placing.pool import WorkerPool
from bench.placing.slots import gpu_bytes, slots, workers_asked
from bench.placing.view import View
from bench.running.run import Run
from bench.running.work import Hands, in_turn

ENGINES = ("process", "ray")


@dataclass(frozen=True)
class Crew:
    """Which workers are wanted, as a person says it."""

    workers: str = "1"
    """How many do runs at once; `auto`: as many as there are devices for."""
    engine: str = "process"
    """What they are: processes of this machine, or of a Ray cluster."""
    address: str | None = None
    """Of the running cluster; without one a cluster of this machine alone is started."""

    def checked(self) -> int | None:
        """How many workers; None for `auto`.

        Raises:
            UserError: something in it is wrong.
        """
        wanted = workers_asked(self.workers)
        if self.engine not in ENGINES:
            raise UserError(f"engine '{self.engine}' is unknown; choose {' or '.join(ENGINES)}")
        if self.address is not None and self.engine != "ray":
            raise UserError("--address is of a Ray cluster; add --engine ray")
        if (wanted != 1 or self.engine == "ray") and processes() > 1:
            raise UserError("--workers starts processes of its own; leave the launcher out, or --workers")
        return wanted


ONE = Crew()
"""This process alone."""


@contextmanager
def hands(crew: Crew, runs: Sequence[Run], setting: WorkerSetting) -> Iterator[Hands]:
    """For runs and trials that are planned like these.

    Raises:
        UserError: there are not so many devices.
    """
    wanted, ray = crew.checked(), crew.engine == "ray"
    if not runs or (wanted == 1 and not ray):
        yield in_turn
        return
    needed = [bytes_held(run) for run in runs]
    most = max(needed)
    if not ray and 0 < (room := gpu_bytes()) < most:
        largest = runs[needed.index(most)].label
        told = f"{largest} is planned to hold {most / 1e9:.1f} GB, and a GPU here has {room / 1e9:.1f}"
        raise UserError(f"{told}; do it on several by `tunebench run --launch fsdp2`, or give --budget a ceiling such as 8GB")
    if ray:
        cluster.connect(crew.address)
    places = cluster.cluster_slots(wanted, needed) if ray else slots(wanted, needed)
    if len(places) < 2 and not ray:
        yield in_turn
        return
    hire = partial(cluster.RayWorker if ray else LocalWorker, setting=setting)
    with WorkerPool(places, hire, lambda work: flops(work.run), View(places)) as pool:
        yield pool

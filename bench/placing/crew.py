"""Who does a suite's runs: this process, one after another, or workers that it gives them to."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from bench.devices.hardware import processes
from bench.errors import UserError
from bench.placing import cluster
from bench.placing.cluster_memory import check_cluster_holds
from bench.placing.costs import bytes_held, predictors_of
from bench.placing.local import LocalWorker
from bench.placing.messages import WorkerSetting
from bench.placing.pool import Arranging, Worker, WorkerPool
from bench.placing.slot import Slot
from bench.placing.slots import gpu_bytes, slots, visible_gpus, workers_asked
from bench.placing.teams import check_held, teams
from bench.placing.view import View
from bench.running.assignments import Hands, in_turn
from bench.runs.run import Run

ENGINES = ("process", "ray")


@dataclass(frozen=True)
class Crew:
    """Which workers are wanted, as a person says it."""

    workers: str = "1"
    """How many devices, or parts of the cores, do runs at once; `auto`: as many as there are."""
    engine: str = "process"
    """What they are: processes of this machine, or of a Ray cluster."""
    address: str | None = None
    """Of the running cluster; without one a cluster of this machine alone is started."""

    def checked(self, beside: int) -> int | None:
        """How many workers; None for `auto`.

        Args:
            beside: processes that do each run together; this one is among them, or starts them.

        Raises:
            UserError: something in it is wrong.
        """
        wanted = workers_asked(self.workers)
        if self.engine not in ENGINES:
            raise UserError(f"engine '{self.engine}' is unknown; choose {' or '.join(ENGINES)}")
        if self.address is not None and self.engine != "ray":
            raise UserError("--address is of a Ray cluster; add --engine ray")
        if (wanted != 1 or self.engine == "ray") and beside > 1:
            raise UserError("--workers starts processes of its own; leave the launcher out, or --workers")
        return wanted


ONE = Crew()
"""This process alone."""


@contextmanager
def workers_of(crew: Crew, runs: Sequence[Run], setting: WorkerSetting) -> Iterator[Hands]:
    """For runs and trials that are planned like these.

    Raises:
        UserError: there are not so many devices, or all together do not hold a run; of a Ray cluster's, if none alone does.
    """
    wanted, ray = crew.checked(processes()), crew.engine == "ray"
    if not runs or (wanted == 1 and not ray):
        yield in_turn
    elif ray:
        cluster.connect(crew.address)
        parts = cluster.cluster_slots(wanted, len(runs))
        check_cluster_holds(runs)
        with _pool(setting, cluster.RayWorker, _all_on(parts)) as workers:
            yield workers
    elif gpus := visible_gpus(wanted):
        check_held(runs, len(gpus), room := gpu_bytes())
        with _pool(setting, LocalWorker, partial(teams, gpus, room)) as workers:
            yield workers if len(gpus) > 1 else in_turn  # for a single device this process needs no other
    else:
        parts = slots(wanted, [bytes_held(run) for run in runs])
        with _pool(setting, LocalWorker, _all_on(parts)) as workers:
            yield workers if len(parts) > 1 else in_turn


def _all_on(parts: Sequence[Slot]) -> Arranging:
    return lambda works: [(parts, works)]


def _pool(setting: WorkerSetting, worker: Callable[..., Worker], arrange: Arranging) -> WorkerPool:
    return WorkerPool(arrange, partial(worker, setting=setting), predictors_of, View(setting.out))

"""Workers on a Ray cluster: Ray chooses the node and the device of each, and tells when it is gone.

An actor holds a worker's process on its node and passes on what is said. So a worker is the same process on a cluster and on
one machine, and whoever gives the work is the same too: no run is Ray's to schedule.
"""

import os
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bench.errors import UserError
from bench.placing.local import GRACE, WorkerProcess, as_received, as_sent, setting_as_sent
from bench.placing.messages import Message, Post, WorkerSetting
from bench.placing.slot import Slot
from bench.processes.launchers import package_path

if TYPE_CHECKING:
    from bench.running.assignments import Assignment

QUIET_SECONDS = 1.0
"""Seconds for which an actor waits for something to be said before it answers that nothing was."""
ANSWER_SECONDS = 10.0
"""Seconds, beyond those that the worker itself has, in which an actor that is there says that it has ended."""
PLACING_SECONDS = 60.0
"""In which Ray places an actor for which there is room, the setting up of its environment included."""
OURS = ("TUNEBENCH_", "HF_", "GOMP_", "OMP_WAIT", "ONEDNN_", "DNNL_", "LRU_CACHE_")
"""How variables begin that change what a worker does."""
SECRET = ("TOKEN", "KEY", "SECRET", "PASSWORD")
"""How those end whose value nobody else may see."""


class Relay:
    """The actor. It loads no library but Ray's own."""

    def __init__(self, slot: Slot, setting: bytes) -> None:
        self._heard = queue.SimpleQueue[bytes | str]()
        self._process = WorkerProcess(slot, setting, self._heard.put, self._heard.put)

    def pid(self) -> int:
        return self._process.pid

    def tell(self, what: bytes) -> None:
        self._process.tell(what)

    def heard(self) -> list[bytes | str]:
        """What the worker has said since; in the end, why it is gone, as text."""
        try:
            messages = [self._heard.get(timeout=QUIET_SECONDS)]
        except queue.Empty:
            return []
        while not self._heard.empty():
            messages.append(self._heard.get())
        return messages

    def ask_to_stop(self) -> None:
        self._process.ask_to_stop()

    def end(self, at_once: bool) -> None:
        self._process.end(at_once)


class RayWorker:
    """A worker on some node."""

    def __init__(self, slot: Slot, post: Post, setting: WorkerSetting) -> None:
        self._ray, self.slot, self._post = ray_module(), slot, post
        self._over = self._waited_for = False
        # Which GPU it is Ray tells the actor, and names only what is visible to it before.
        here = Slot(slot.number, threads=slot.threads)
        variables = here.variables | _variables_set_here() | {"PYTHONPATH": package_path()}
        actor = self._ray.remote(Relay).options(
            num_cpus=slot.threads, num_gpus=len(slot.gpus), runtime_env={"env_vars": variables}
        )
        self.actor = actor.remote(here, setting_as_sent(setting))
        threading.Thread(target=self._listen, daemon=True).start()

    def give(self, work: "Assignment") -> None:
        self.actor.tell.remote(as_sent(work))

    def ask_to_stop(self) -> None:
        self.actor.ask_to_stop.remote()

    def end(self, at_once: bool = False) -> None:
        self._over = True
        with suppress(self._ray.exceptions.RayError):  # it is gone already, or Ray has never placed it
            self._ray.get(self.actor.end.remote(at_once), timeout=ANSWER_SECONDS + (0 if at_once else GRACE))
        self._ray.kill(self.actor)

    def _heard(self) -> list[bytes | str]:
        """What the actor has heard. Ray places it when there is room, which others may have; then a person is told so, once."""
        heard, limit = self.actor.heard.remote(), None if self._waited_for else PLACING_SECONDS
        self._waited_for = True
        try:
            messages: list[bytes | str] = self._ray.get(heard, timeout=limit)
        except TimeoutError:
            self._post(Message(self.slot.number, "said", "waits for room on the Ray cluster, whose nodes are busy"))
            messages = self._ray.get(heard)
        return messages

    def _listen(self) -> None:
        number = self.slot.number
        while not self._over:
            try:
                messages = self._heard()
            except Exception as error:  # the actor, its node or the whole cluster: Ray has an error for each
                self._post(Message(number, "lost", f"Ray says {type(error).__name__}"))
                return
            for each in messages:
                self._post(Message(number, "lost", each) if isinstance(each, str) else Message(number, *as_received(each)))
                if isinstance(each, str):
                    return


def _variables_set_here() -> dict[str, str]:
    """What a person has set in this process's environment, and a node does not know by itself.

    No key: Ray keeps this, and shows it to whoever sees its dashboard. A node that is to use a hub has a token of its own.
    """
    return {name: value for name, value in os.environ.items() if name.startswith(OURS) and not name.endswith(SECRET)}


def connect(address: str | None) -> None:
    """To a running cluster, or to one that is started on this machine.

    Raises:
        UserError: Ray is not installed, or nothing answers at the address.
    """
    ray = ray_module()
    if ray.is_initialized():
        return
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error", include_dashboard=False if not address else None)
    except (ConnectionError, ValueError, RuntimeError, OSError, ray.exceptions.AuthenticationError) as error:
        # Ray sends its token to no address that is named unless it is told to, and a cluster that wants one seems to be absent.
        known = "set RAY_AUTH_MODE=token if it lets in only who has its token, or leave --address out"
        where, instead = (f"at {address}", known) if address else ("on this machine", "or unset RAY_ADDRESS")
        raise UserError(f"no Ray cluster {where} ({' '.join(str(error).split())[:200]}); start one, {instead}") from error


def alive_nodes() -> list[dict[str, Any]]:
    """What Ray says of each node of the cluster that has not been lost."""
    return [node for node in ray_module().nodes() if node["Alive"]]


def cluster_slots(wanted: int | None, work: int) -> list[Slot]:
    """A worker for each GPU of the cluster, or for each core of one without; at most as many as wanted, or as there is work."""
    nodes = [node["Resources"] for node in alive_nodes()]
    gpus = any(node.get("GPU") for node in nodes)

    def room(threads: int) -> int:
        """How many workers with so many cores the nodes hold: a worker is on one node, whatever the others have left."""
        cores = [int(node.get("CPU", 0)) // threads for node in nodes]
        return sum(min(own, int(node.get("GPU", 0))) if gpus else own for own, node in zip(cores, nodes, strict=True))

    most, kind = room(1), "GPUs with a core" if gpus else "CPU cores"
    if most < (wanted or 1):
        raise UserError(f"--workers {wanted or 1} needs a device for each, and the Ray cluster has {most} {kind}; lower it")
    count, threads = wanted or max(1, min(most, work)), 1
    while (gpus or wanted) and room(threads + 1) >= count:
        threads += 1
    return [Slot(number, gpus=("any",) if gpus else (), threads=threads, place="Ray worker") for number in range(count)]


def ray_module() -> Any:
    """Raises:
    UserError: Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        how = "python -m pip install -e '.[ray]' in tunebench's clone"
        raise UserError(f"--engine ray needs Ray, which is not installed: {how}") from error
    return ray

"""A run that no device of a Ray cluster holds is refused before anything starts: there a worker has one device, and no team."""

import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from bench.errors import UserError
from bench.placing.cluster import PLACING_SECONDS, alive_nodes, ray_module
from bench.placing.costs import bytes_held
from bench.processes.launchers import package_path
from bench.runs.run import Run

_LOOK = (
    "from bench.devices.container import total_memory; from bench.placing.slots import gpu_bytes; "
    "print(gpu_bytes(), total_memory())"
)


def check_cluster_holds(runs: Iterable[Run]) -> None:
    """Refuse the runs that are planned to hold more than the largest device of the cluster has.

    Raises:
        UserError: one of them is so. Where a node does not say what it has, none is refused.
    """
    room, kind = _largest_room()
    for run in runs:
        if room and (needed := bytes_held(run)) > room:
            why = f"is planned to hold {needed / 1e9:.1f} GB, and no {kind} of the Ray cluster, of which a worker has one, has"
            remedy = "give --budget a ceiling such as 8GB, or use `tunebench run --launch fsdp2` on a machine with several GPUs"
            raise UserError(f"{run.label} {why} more than {room / 1e9:.1f}; {remedy}")


def _largest_room() -> tuple[int | None, str]:
    """Bytes of the largest GPU, or of the largest node of a cluster without; None where a node does not say. And what it is."""
    nodes = alive_nodes()
    gpus = [node for node in nodes if node["Resources"].get("GPU")]
    rooms = [room[0 if gpus else 1] for room in _rooms_of_nodes(gpus or nodes)]
    return (max(rooms) if rooms and all(rooms) else None), "GPU" if gpus else "node"


def _rooms_of_nodes(nodes: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """What each node has: bytes of its smallest GPU, as Ray gives a worker any of them, and of the machine; 0 where that can't
    be told."""
    ray = ray_module()
    on_node = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    # It takes no core and no GPU, so that it is done on a busy node too.
    plain = {"num_cpus": 0, "runtime_env": {"env_vars": {"PYTHONPATH": package_path()}}}
    look = ray.remote(node_room)
    pending = [look.options(scheduling_strategy=on_node(node["NodeID"], soft=False), **plain).remote() for node in nodes]
    try:
        rooms: list[tuple[int, int]] = ray.get(pending, timeout=PLACING_SECONDS)
    except (TimeoutError, ray.exceptions.RayError):
        return [(0, 0)]
    return rooms


def node_room() -> tuple[int, int]:
    """On a node, in a process of its own: Ray hides the GPUs from one that has asked for none."""
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    looked = subprocess.run([sys.executable, "-P", "-c", _LOOK], env=environment, capture_output=True, text=True)
    words = looked.stdout.split()
    return (int(words[0]), int(words[1])) if looked.returncode == 0 and len(words) == 2 else (0, 0)

"""What a Ray cluster's devices hold is asked of its nodes, and a run that none of them holds is refused."""

import importlib.util
from types import SimpleNamespace

import pytest

from bench.devices.container import total_memory
from bench.errors import UserError
from bench.placing import cluster as cluster_module
from bench.placing import cluster_memory as module
from bench.placing.cluster_memory import _largest_room, check_cluster_holds, node_room

GB = 10**9


@pytest.fixture
def cluster(monkeypatch):
    """Nodes by their resources, and what each says that it has; an error where it says nothing."""

    class RayError(Exception):
        pass

    def made(*nodes, gone=None):
        known = [{"NodeID": str(n), "Alive": True, "Resources": each[0]} for n, each in enumerate(nodes)]
        known.append({"NodeID": "gone", "Alive": False, "Resources": {"GPU": 8.0}})

        class Look:
            def __init__(self, node=None):
                self.node = node

            def options(self, scheduling_strategy, num_cpus, runtime_env):
                assert num_cpus == 0, "it would wait for a core"
                return Look(scheduling_strategy)

            def remote(self):
                return nodes[int(self.node)][1]

        def get(asked, timeout):
            if gone:
                raise gone
            return asked

        strategies = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node, soft: node)
        ray = SimpleNamespace(nodes=lambda: known, remote=lambda _: Look(), get=get)
        ray.util, ray.exceptions = SimpleNamespace(scheduling_strategies=strategies), SimpleNamespace(RayError=RayError)
        for asking in (cluster_module, module):
            monkeypatch.setattr(asking, "ray_module", lambda: ray)

    return made


def run(held):
    return SimpleNamespace(label="a run", held=held * GB)


def test_a_run_that_no_gpu_holds_is_refused(cluster, monkeypatch):
    """One node's GPUs are larger than the other's, and a node without GPUs has no worker."""
    monkeypatch.setattr(module, "bytes_held", lambda run: run.held)
    cluster(({"GPU": 4.0}, (40 * GB, 500 * GB)), ({"GPU": 2.0}, (80 * GB, 500 * GB)), ({"CPU": 64.0}, (0, 900 * GB)))
    check_cluster_holds([run(50), run(80)])
    told = r"a run is planned to hold 90.0 GB, and no GPU of the Ray cluster, of which a worker has one, has more than 80.0;"
    with pytest.raises(UserError, match=told):
        check_cluster_holds([run(50), run(90)])


def test_without_gpus_a_node_has_to_hold_it(cluster, monkeypatch):
    monkeypatch.setattr(module, "bytes_held", lambda run: run.held)
    cluster(({"CPU": 4.0}, (0, 16 * GB)), ({"CPU": 4.0}, (0, 32 * GB)))
    check_cluster_holds([run(30)])
    with pytest.raises(UserError, match=r"hold 40.0 GB, and no node of the Ray cluster, .* has more than 32.0; give --budget"):
        check_cluster_holds([run(40)])


@pytest.mark.parametrize("gone", [None, TimeoutError()])
def test_where_a_node_does_not_say_what_it_has_nothing_is_refused(cluster, monkeypatch, gone):
    """As one whose GPUs are Ray's word alone, or that does not answer."""
    monkeypatch.setattr(module, "bytes_held", lambda run: run.held)
    cluster(({"GPU": 1.0}, (80 * GB, 90 * GB) if gone else (0, 90 * GB)), ({"GPU": 1.0}, (40 * GB, 90 * GB)), gone=gone)
    check_cluster_holds([run(900)])


def test_a_node_says_what_it_has(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert node_room()[1] == total_memory()
    monkeypatch.setattr(module, "_LOOK", "raise SystemExit(1)")
    assert node_room() == (0, 0)


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: python -m pip install -e '.[ray]'")
@pytest.mark.slow
def test_a_real_node_is_asked_though_all_its_cores_are_taken():
    import ray

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:

        @ray.remote(num_cpus=1)
        class Busy:
            def there(self):
                return True

        busy = Busy.remote()
        assert ray.get(busy.there.remote())
        assert _largest_room() == (total_memory(), "node")
    finally:
        ray.shutdown()

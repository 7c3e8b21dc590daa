"""Workers on a Ray cluster of this machine: two, of which one is killed; and those of a cluster that was running before."""

import functools
import importlib.util
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from bench.errors import UserError
from bench.placing import cluster
from bench.placing.cluster import RayWorker, _variables_set_here, cluster_slots, connect
from bench.placing.forecast import Predictors
from bench.placing.messages import WorkerSetting
from bench.placing.pool import WorkerPool
from bench.placing.slot import Slot
from bench.placing.view import View
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.progress import Progress
from bench.records import store
from bench.running import execution
from bench.running.assignments import Workplace
from bench.runs.run_folder import DEFAULT_KEEP

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: python -m pip install -e '.[ray]'"
)


def test_without_ray_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match="pip install -e '.\\[ray\\]' in tunebench's clone"):
        connect(None)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (
            "node7:6379",
            r"no Ray cluster at node7:6379 \(nobody answers\); start one, set RAY_AUTH_MODE=token if it lets in only who has "
            "its token, or leave --address out",
        ),
        (None, r"no Ray cluster on this machine \(nobody answers\); start one, or unset RAY_ADDRESS"),
    ],
)
def test_the_cluster_of_an_address_is_asked(monkeypatch, address, told):
    asked = []

    class AuthenticationError(Exception):
        """Ray's own, of no kind of Python's."""

    def gone(kind, **given):
        raise kind("nobody\nanswers")

    ray = SimpleNamespace(is_initialized=lambda: False, init=lambda **given: asked.append(given["address"]))
    ray.exceptions = SimpleNamespace(AuthenticationError=AuthenticationError)
    monkeypatch.setattr(cluster, "ray_module", lambda: ray)
    connect(address)
    assert asked == [address]
    for kind in (ConnectionError, AuthenticationError):
        ray.init = functools.partial(gone, kind)
        with pytest.raises(UserError, match=told):
            connect(address)


@pytest.mark.parametrize(
    ("resources", "wanted", "work", "expected"),
    [
        ([{"CPU": 8.0}], None, 20, [((), 1)] * 8),
        ([{"CPU": 8.0}], None, 3, [((), 1)] * 3),
        ([{"CPU": 8.0}], 2, 20, [((), 4)] * 2),
        ([{"CPU": 64.0, "GPU": 4.0}], None, 20, [(("any",), 16)] * 4),
        ([{"CPU": 64.0, "GPU": 4.0}], 2, 20, [(("any",), 32)] * 2),
        # No node has as many cores as the cluster: an actor that asks for them is never placed.
        ([{"CPU": 32.0, "GPU": 4.0}] * 2, None, 1, [(("any",), 32)]),
        ([{"CPU": 32.0, "GPU": 4.0}] * 2, None, 3, [(("any",), 16)] * 3),
        ([{"CPU": 8.0}] * 4, 2, 20, [((), 8)] * 2),
        ([{"CPU": 64.0}, {"CPU": 8.0, "GPU": 2.0}], None, 20, [(("any",), 4)] * 2),
        ([{"CPU": 2.0, "GPU": 4.0}], None, 20, [(("any",), 1)] * 2),
    ],
)
def test_a_worker_for_each_device_of_the_cluster(monkeypatch, resources, wanted, work, expected):
    nodes = [{"Alive": True, "Resources": each} for each in resources]
    gone = {"Alive": False, "Resources": {"CPU": 512.0, "GPU": 8.0}}
    monkeypatch.setattr(cluster, "ray_module", lambda: SimpleNamespace(nodes=lambda: [*nodes, gone]))
    assert [(slot.gpus, slot.threads) for slot in cluster_slots(wanted, work)] == expected
    with pytest.raises(UserError, match="the Ray cluster has"):
        cluster_slots(65, 0)


def test_a_worker_that_ray_never_places_is_ended_all_the_same(tmp_path, monkeypatch):
    over, killed = threading.Event(), []

    class RayError(Exception):
        pass

    def get(asked, timeout=None):
        assert asked == "heard" or timeout is not None, "it would wait for ever"
        if timeout == cluster.PLACING_SECONDS:
            raise TimeoutError
        over.wait(60 if asked == "heard" else 0)
        raise RayError

    actor = SimpleNamespace(**{name: SimpleNamespace(remote=lambda *_, name=name: name) for name in ("heard", "end")})
    made = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda *_: actor))
    ray = SimpleNamespace(remote=lambda _: made, get=get, kill=killed.append, exceptions=SimpleNamespace(RayError=RayError))
    monkeypatch.setattr(cluster, "ray_module", lambda: ray)
    posted = queue.SimpleQueue()
    worker = RayWorker(Slot(0), posted.put, WorkerSetting(tmp_path, "fp32", False, DEFAULT_KEEP))
    assert posted.get(timeout=30).content == "waits for room on the Ray cluster, whose nodes are busy"
    worker.end()
    assert killed == [actor]
    over.set()


@pytest.fixture
def local_cluster(request):
    """Of two cores, and as many GPUs as a test asks for, which are Ray's word alone."""
    import ray

    gpus = getattr(request, "param", 0)
    ray.init(num_cpus=2, num_gpus=gpus, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield ray
    ray.shutdown()


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize("local_cluster", [0, 2], indirect=True)
def test_a_worker_has_the_gpu_that_ray_gives_it_and_its_share_of_the_cores(tmp_path, local_cluster, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    setting = WorkerSetting(tmp_path, "fp32", False, DEFAULT_KEEP)
    slots = cluster_slots(2, 2)
    workers = [RayWorker(slot, lambda message: None, setting) for slot in slots]
    pids = [local_cluster.get(worker.actor.pid.remote()) for worker in workers]
    environments = [psutil.Process(pid).environ() for pid in pids]
    given = sorted(each.get("CUDA_VISIBLE_DEVICES", "") for each in environments)
    assert given == (["0", "1"] if slots[0].gpus else ["", ""])
    assert [(each["OMP_NUM_THREADS"], each["TUNEBENCH_CORES"]) for each in environments] == [("1", "1")] * 2
    for worker in workers:
        worker.end(at_once=True)


@needs_ray
@pytest.mark.slow
def test_two_workers_one_of_them_killed_do_all(own_cache, device, tmp_path, local_cluster):
    small = {"strategies": ["zero-shot", "full", "frozen"], "budget": "32", "probe_items": 4, "test_items": 12}
    runs = plan.plan(PlanOptions("sentiment-domains", "tiny-bert", **small), "fp32")
    place, hired, first = Workplace(tmp_path, device, Progress(False, len(runs))), [], threading.Lock()

    def hire(slot, post):
        def posted(message):
            # The first to begin a run is killed in it. A thread listens to each worker, and both may begin at once.
            if message.kind == "doing" and first.acquire(blocking=False):
                os.kill(local_cluster.get(hired[message.worker].actor.pid.remote()), signal.SIGKILL)
            post(message)

        hired.append(RayWorker(slot, posted, WorkerSetting(place.out, "fp32", False, DEFAULT_KEEP)))
        return hired[-1]

    slots = cluster_slots(2, len(runs))
    with WorkerPool(
        lambda works: [(slots, works)], hire, lambda work: Predictors(work.id, "", lambda: 1.0), View(place.out)
    ) as hands:
        found = execution.execute(runs, place, hands=hands)
    assert [record.status for record in found] == ["ok"] * 3 and len(hired) == 3
    assert store.read_all(tmp_path) == sorted(found, key=lambda record: record.run_id)


@needs_ray
@pytest.mark.slow
def test_an_actor_that_is_lost_is_told(tmp_path, local_cluster):
    said = queue.SimpleQueue()
    (slot,) = cluster_slots(1, 1)
    worker = RayWorker(slot, said.put, WorkerSetting(tmp_path, "fp32", False, DEFAULT_KEEP))
    assert said.get(timeout=240).kind == "ready"
    local_cluster.kill(worker.actor)
    lost = said.get(timeout=60)
    assert lost.kind == "lost" and "Ray says Actor" in lost.content
    worker.end()


ROOT = Path(__file__).parents[3]
STARTED = "import sys; from ray.scripts.scripts import main; sys.exit(main())"
OF_RAY = ["start", "--head", "--block", "--port", "0", "--num-cpus", "2", "--object-store-memory", str(10**8)]
OF_RAY += ["--include-dashboard", "false", "--disable-usage-stats"]
TINY = ["run", "--suite", "sentiment", "--model", "tiny-bert", "--strategies", "zero-shot", "--workers", "1"]
TINY += ["--test-items", "12", "--probe-items", "4"]


@pytest.fixture
def running_cluster():
    """A cluster that somebody has started by Ray's own command, which lets in who has its token: its address, its folder, and
    the environment of those. It ends by its own process alone, as `ray stop` would end every one of this machine."""
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # short, since sockets lie there whose paths may have 107 characters
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    # Made for this cluster alone: what a person may have is neither read nor sent.
    environment |= {"PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-c", STARTED, *OF_RAY, "--temp-dir", str(folder)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        while not (named := folder / "ray_current_cluster").is_file() or not named.read_text():
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield named.read_text().strip(), folder, environment
        assert process.poll() is None, "it was there before the command, and stays"
    finally:
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait(60)
        for each in psutil.wait_procs(started, timeout=10)[1]:
            each.kill()
        shutil.rmtree(folder, ignore_errors=True)


@needs_ray
@pytest.mark.slow
def test_a_running_cluster_does_the_runs_of_a_command_that_names_its_address(running_cluster, own_cache, tmp_path):
    address, folder, environment = running_cluster
    command = [sys.executable, "-c", "from bench.cli import main; main()", *TINY, "--engine", "ray", "--address", address]
    arguments = [*command, "--out", str(tmp_path)]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert [record.status for record in store.read_all(tmp_path)] == ["ok"]
    assert done.stderr.count("Ray worker 0: tiny-bert / sst2 / zero-shot") == 2, done.stderr
    assert list(folder.glob("session_2*/logs/python-core-driver-*")), "the command was at this cluster"


def test_no_key_is_told_to_the_cluster(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_TOKEN" not in _variables_set_here() and _variables_set_here()["HF_HUB_OFFLINE"] == "1"

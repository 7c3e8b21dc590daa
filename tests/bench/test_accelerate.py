"""`accelerate launch bench/run.py` as a subprocess, with one process and with two that stand in for GPUs."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from caches import linked_cache

from bench.devices import hardware

ROOT = Path(__file__).parents[2]
TINY = ["--suite", "sentiment", "--model", "tiny-bert", "--budget", "40", "--test-items", "21", "--probe-items", "5"]
# Each process draws dropout of its own, so that losses are compared without it.
TINY += ["--set", "dropout=0"]
TWO = pytest.mark.skipif(hardware.cores() < 2, reason="two processes need two cores")


def launch(*arguments, launcher=(), cwd, **more):
    command = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", *launcher, str(ROOT / "bench" / "run.py")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "ACCELERATE_"))}
    return subprocess.run([*command, *arguments], cwd=cwd, env=environment | more, capture_output=True, text=True, timeout=400)


def rows(folder):
    found = [json.loads(path.read_text()) for path in (folder / "out" / "records").glob("*.json")]
    return {row["setup"]["strategy"]: row for row in found}


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    config = ["--config_file", str(ROOT / "launch" / "one.yaml")]
    done = launch(*TINY, "--strategies", "zero-shot,full,multitask", launcher=config, cwd=folder)
    assert done.returncode == 0, done.stderr
    return rows(folder)


@pytest.mark.slow
def test_one_process_uses_all_cores(single):
    device = single["full"]["provenance"]["device"]
    assert device["processes"] == 1 and device["distributed"] == "NO"
    assert device["threads"] == hardware.cores()


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.device_count() > 1, reason="without a file Accelerate starts a process on each GPU")
def test_without_a_file_it_is_one_process_too(single, tmp_path):
    done = launch(*TINY, "--strategies", "full", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found, known = rows(tmp_path)["full"], single["full"]
    assert found["provenance"]["device"] == known["provenance"]["device"]
    assert (found["run_id"], found["outcome"]["score"]) == (known["run_id"], known["outcome"]["score"])


@pytest.mark.slow
@TWO
def test_two_processes_give_the_same_numbers(single, tmp_path):
    config = ["--config_file", str(ROOT / "launch" / "cpu.yaml")]
    done = launch(*TINY, "--strategies", "zero-shot,full", launcher=config, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path)
    assert (
        found["full"]["provenance"]["device"]["processes"] == 2
        and found["full"]["provenance"]["device"]["distributed"] == "MULTI_CPU"
    )
    assert found["full"]["run_id"] == single["full"]["run_id"]
    for name, row in found.items():
        assert row["outcome"]["score"]["n"] == 21
        assert row["outcome"]["forgetting"]["mrpc"]["n"] == 5
        assert row["cost"]["train_tokens"] == single[name]["cost"]["train_tokens"]
    assert found["zero-shot"]["outcome"]["score"] == single["zero-shot"]["outcome"]["score"]
    assert found["zero-shot"]["outcome"]["forgetting"]["mrpc"]["before"] == pytest.approx(
        single["zero-shot"]["outcome"]["forgetting"]["mrpc"]["before"]
    )
    assert found["full"]["outcome"]["losses"] == pytest.approx(single["full"]["outcome"]["losses"], rel=1e-4)


@pytest.mark.slow
def test_more_processes_than_devices_are_refused(tmp_path):
    many = str(hardware.cores() + 1)
    environment = {"WORLD_SIZE": many, "LOCAL_WORLD_SIZE": many, "RANK": "0", "LOCAL_RANK": "0", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "run.py"), *TINY],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert f"{many} processes were launched on this machine, but it has" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@TWO
def test_two_launchers_that_stand_in_for_two_machines_meet(single, own_cache, tmp_path):
    """Each has a cache of its own. At first neither knows the base, and then the main one's does. Were each to go by its own,
    one would ask the base while the other trains, and both would wait for ever; the main process says what is known."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    caches = [linked_cache(tmp_path / name, own_cache) for name in ("main", "other")]
    config = ["--config_file", str(ROOT / "launch" / "machines.yaml"), "--num_processes", "2", "--gpu_ids=-1,-1"]

    def machine(rank, folder):
        place = ["--machine_rank", str(rank), "--main_process_port", port]
        cache = {"TUNEBENCH_CACHE": str(caches[rank])}
        return launch(*TINY, "--strategies", "full", launcher=[*config, *place], cwd=folder, **cache)

    known = []
    for folder in (tmp_path / "at first", tmp_path / "then"):
        folder.mkdir()
        with ThreadPoolExecutor() as machines:
            both = list(machines.map(machine, range(2), [folder] * 2))
        assert [done.returncode for done in both] == [0, 0], both[0].stderr + both[1].stderr
        known.append(sorted(caches[0].glob("base/*")))
        assert not list(caches[1].glob("base/*"))
    assert known[0] and known[1] == known[0], "nothing is asked again"
    found = rows(tmp_path / "then")["full"]
    assert found["provenance"]["device"]["processes"] == 2 and found["run_id"] == single["full"]["run_id"]
    assert len(found["cost"]["peak_memory_per_process"]) == 2

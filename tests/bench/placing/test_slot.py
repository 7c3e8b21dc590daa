"""What a worker is told of its part of the machine, and a person of it."""

from bench.placing.slot import Slot


def test_names_and_variables():
    assert (Slot(0, (3,)).name, Slot(0, (3,)).variables) == ("core 3", {"OMP_NUM_THREADS": "1"})
    assert (Slot(0, (0, 1)).name, Slot(0, (0, 1)).variables) == ("2 cores", {"OMP_NUM_THREADS": "2"})
    gpu = Slot(1, (4, 5), ("7",))
    assert (gpu.name, gpu.variables) == ("GPU 7", {"OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": "7"})
    pair = Slot(1, (4, 5, 6, 7), ("2", "3"), "gpus")
    assert (pair.name, pair.processes) == ("GPUs 2, 3", 2)
    assert pair.variables == {"OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": "2,3"}
    remote = Slot(2, threads=8, place="Ray worker")
    assert (remote.name, remote.variables) == ("Ray worker 2", {"OMP_NUM_THREADS": "8", "TUNEBENCH_CORES": "8"})
    assert Slot(0).variables == {}

"""Processes with different numbers of passes make the same number of them: threads stand in for the processes here."""

import threading
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from bench.inference.lockstep import Lockstep


class World:
    """Sums flags over threads as `Accelerator.reduce` does over processes: whoever is missing keeps all waiting."""

    def __init__(self, size):
        self.barrier, self.flags = threading.Barrier(size, timeout=20), [0] * size

    def accelerator(self, rank):
        def reduce(flag):
            self.flags[rank] = int(flag)
            self.barrier.wait()
            total = sum(self.flags)
            self.barrier.wait()
            return torch.tensor(total)

        return SimpleNamespace(device=torch.device("cpu"), reduce=reduce)


class Collective(nn.Module):
    """A pass that only ends when all processes make it."""

    def __init__(self, barrier):
        super().__init__()
        self.barrier, self.passes, self.written = barrier, 0, []

    def forward(self, value):
        self.barrier.wait()
        self.passes += 1
        return value

    def generate(self, value, synced_gpus):
        assert synced_gpus
        self.written.append(value)
        return self.forward(value)


@pytest.mark.parametrize("own", [(3, 1), (0, 4), (2, 2), (1, 0, 5)])
@pytest.mark.parametrize("way", ["forward", "generate"])
def test_every_process_makes_as_many_passes_as_the_busiest(own, way):
    world, passes = World(len(own)), threading.Barrier(len(own), timeout=20)
    modules = [Collective(passes) for _ in own]
    answers = [[] for _ in own]

    def process(rank):
        model = Lockstep(modules[rank], world.accelerator(rank))
        ask = model if way == "forward" else lambda value: model.generate(value=value)
        for number in range(own[rank]):
            answers[rank].append(ask(number))
        model.join(lambda: ask(-1))
        answers[rank].append(ask("again"))  # and afterwards they go on
        model.join(lambda: ask(-1))

    threads = [threading.Thread(target=process, args=(rank,), daemon=True) for rank in range(len(own))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert {module.passes for module in modules} == {max(own) + 1}
    assert answers == [[*range(count), "again"] for count in own]

"""Two processes of ZeRO without processes: DeepSpeed's own code links weights with their stretches of flat tensors, and what
all would add up is added up here. Whole trainings under ZeRO stand in tests/bench/modeling/test_sharding.py."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from bench.training.optimizer import MOMENTS
from bench.training.partitions import Partitions

SHAPES = [[(3, 5), (4, 2)], [(5,), (2,)]]
"""Of the weights of two groups; no group's half ends where a weight does."""


@pytest.fixture(autouse=True)
def added_up_here(monkeypatch):
    comm = pytest.importorskip("deepspeed.utils.tensor_fragment").dist
    monkeypatch.setattr(comm, "all_reduce", lambda tensor, group: None)


def process(rank):
    """What DeepSpeed's ZeRO-1 is in one of two processes, in Accelerate's wrapper, before its first step."""
    from deepspeed.utils import link_hp_params

    torch.manual_seed(0)
    groups = [[nn.Parameter(torch.randn(shape)) for shape in shapes] for shapes in SHAPES]
    flats = []
    for number, group in enumerate(groups):
        whole = torch.cat([weight.detach().flatten() for weight in group])
        whole = torch.cat([whole, whole.new_zeros(len(whole) % 2)])
        size = len(whole) // 2
        flats.append(nn.Parameter(whole[rank * size :][:size].clone()))
        link_hp_params(group, flats[-1], {}, {}, False, number, rank * size, size, None)
    inner = torch.optim.AdamW([{"params": [flat]} for flat in flats], fused=True)
    zero = SimpleNamespace(bit16_groups=groups, single_partition_of_fp32_groups=flats, optimizer=inner)
    return SimpleNamespace(optimizer=zero)


def stepped(adam, seed):
    """After a step whose gradients are multiples of the weights; DeepSpeed links after its first group's, and never again."""
    from deepspeed.utils.mixed_precision_linkage import lazy_init_hp_params_optimizer_state

    zero, inner = adam.optimizer, adam.optimizer.optimizer
    groups = list(zip(zero.bit16_groups, zero.single_partition_of_fp32_groups, inner.param_groups, strict=True))
    first_step = not inner.state
    for place, (_, flat, own) in enumerate(groups):
        flat.grad = flat.detach() * seed
        inner.param_groups = [own]
        inner.step()
        if first_step and place == 0:
            for weights, other, _ in groups:
                lazy_init_hp_params_optimizer_state(weights, other, inner.state)
    inner.param_groups = [own for _, _, own in groups]


def together(processes):
    """The moments of each weight, as what two processes hold adds up to."""
    found = []
    for group in range(2):
        for place in range(2):
            parts = [dict(Partitions(adam).of(adam.optimizer.bit16_groups[group][place])) for adam in processes]
            assert parts[0]["step"] == parts[1]["step"]
            found.append({"step": parts[0]["step"]} | {kind: parts[0][kind] + parts[1][kind] for kind in MOMENTS})
    return found


def weights_of(adam):
    return [weight for group in adam.optimizer.bit16_groups for weight in group]


def test_a_weights_moments_are_those_that_it_would_have_alone():
    processes = [process(0), process(1)]
    alone = [weight.detach().clone().requires_grad_() for weight in weights_of(processes[0])]
    adam = torch.optim.AdamW(alone, fused=True)
    for seed in (1.0, 2.0):
        for weight in alone:
            weight.grad = weight.detach() * seed
        adam.step()
        for each in processes:
            stepped(each, seed)
    for weight, found in zip(alone, together(processes), strict=True):
        assert found["step"] == 2
        assert all(torch.allclose(found[kind], adam.state[weight][kind]) for kind in MOMENTS)
        assert all(found[kind].abs().min() > 0 for kind in MOMENTS)


def test_what_was_put_together_is_cut_again_and_steps_on_alike():
    processes, others = [process(0), process(1)], [process(0), process(1)]
    for each in processes:
        stepped(each, 1.0)
    moments = together(processes)
    for each, other in zip(processes, others, strict=True):
        for weight, of in zip(weights_of(other), moments, strict=True):
            for kind, values in of.items():
                Partitions(other).put(weight, kind, values)
        flats = [adam.optimizer.single_partition_of_fp32_groups for adam in (each, other)]
        for flat, flat_of in zip(*flats, strict=True):
            flat_of.data.copy_(flat)
        stepped(each, 3.0)
        stepped(other, 3.0)
        assert all(torch.equal(*pair) for pair in zip(*flats, strict=True))
    assert all(
        torch.equal(one[kind], two[kind]) for one, two in zip(*map(together, (processes, others)), strict=True) for kind in one
    )


def test_a_weight_of_which_nothing_was_kept_has_moments_of_0_and_counts_the_steps_of_the_others():
    """Another launcher leaves out a head that had no gradient."""
    adam = process(0)
    first, _, head, _ = weights_of(adam)
    Partitions(adam).put(first, "step", torch.tensor(7.0))
    Partitions(adam).put(first, "step", torch.tensor(4.0))
    moments = dict(Partitions(adam).of(head))
    assert moments["step"] == 7 and not any(moments[kind].any() for kind in MOMENTS)


def test_deepspeeds_own_optimiser_counts_in_whole_numbers():
    """Of moments that lie in the host's memory; its code in C++ takes no tensor."""
    adam = process(0)
    adam.optimizer.optimizer = torch.optim.SGD(adam.optimizer.single_partition_of_fp32_groups, lr=0.1)
    Partitions(adam).put(weights_of(adam)[0], "step", torch.tensor(7.0))
    states = adam.optimizer.optimizer.state.values()
    assert [(state["step"], type(state["step"])) for state in states] == [(7, int), (7, int)]


class Third:
    """What DeepSpeed's ZeRO-3 is in one of two processes, for a single weight of seven numbers."""

    def __init__(self, rank):
        self.weight = nn.Parameter(torch.empty(0))
        vars(self.weight).update(
            ds_id=0,
            ds_tensor=torch.zeros(4),
            ds_zero_partition_rank=rank,
            ds_zero_partition_world_size=2,
            _z3_optimizer=self,
        )
        self.fp32_partitioned_groups_flat = [nn.Parameter(torch.zeros(4))]
        self.optimizer = torch.optim.AdamW(self.fp32_partitioned_groups_flat)

    def set_local_hp_param(self, values, weight, kind):
        self.optimizer.state[self.fp32_partitioned_groups_flat[0]][kind].copy_(values)


def test_a_weight_is_cut_into_equal_parts_and_the_last_is_filled_up():
    cut = []
    for third in (Third(0), Third(1)):
        Partitions(SimpleNamespace(optimizer=third)).put(third.weight, "exp_avg", torch.arange(1.0, 8.0).view(7, 1))
        cut.append(third.optimizer.state[third.fp32_partitioned_groups_flat[0]]["exp_avg"].tolist())
    assert cut == [[1, 2, 3, 4], [5, 6, 7, 0]]

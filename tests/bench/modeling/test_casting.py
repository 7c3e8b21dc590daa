"""Weights that are cast once for many passes."""

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from bench.modeling.casting import cast_once
from bench.modeling.forward import exact_logits, last_logits
from bench.tokens.batches import collate
from bench.tokens.encoded import Encoded


class Casts(TorchDispatchMode):
    """Counts how often matrices of one shape become bf16."""

    def __init__(self, shape):
        super().__init__()
        self.shape, self.count = shape, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten._to_copy.default and kwargs.get("dtype") is torch.bfloat16:
            self.count += args[0].shape == self.shape
        return function(*args, **(kwargs or {}))


@pytest.fixture
def net(decoder):
    return decoder.load().eval().requires_grad_(False)


@pytest.fixture
def batch():
    return collate([Encoded((5, 6, 7, 8, 9), answer=2)], 0, torch.device("cpu"))


@torch.no_grad()
def test_in_many_passes_each_weight_is_cast_once_and_numbers_stay(net, batch):
    blocks = len(net.model.layers)
    with torch.autocast("cpu", torch.bfloat16), exact_logits(net):
        with Casts(net.model.layers[0].mlp.down_proj.weight.shape) as anew:
            plain = [last_logits(net, batch, 2) for _ in range(3)]
        with cast_once(net), Casts(anew.shape) as once:
            found = [last_logits(net, batch, 2) for _ in range(3)]
    assert (anew.count, once.count) == (3 * blocks, blocks)
    assert all(torch.equal(one, other) for one, other in zip(plain, found, strict=True))
    assert not any("forward" in vars(module) for module in net.modules() if isinstance(module, nn.Linear))


@torch.no_grad()
def test_without_autocast_nothing_is_cast(net, batch):
    plain = last_logits(net, batch, 2)
    with cast_once(net):
        assert torch.equal(last_logits(net, batch, 2), plain)


def test_weights_that_are_trained_and_an_exact_head_are_left_to_torch(net):
    """Torch keeps their casts itself."""
    net.model.layers[0].mlp.down_proj.weight.requires_grad_(True)
    with exact_logits(net), cast_once(net):
        assert "forward" not in vars(net.model.layers[0].mlp.down_proj)
        assert "forward" in vars(net.model.layers[1].mlp.down_proj)
        assert not type(net.lm_head.forward).__name__.startswith("_WithKept")

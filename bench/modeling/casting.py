"""Weights in bf16, cast once for many passes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.modeling.fp32_product import is_linear, multiplied


@contextmanager
def cast_once(model: nn.Module) -> Iterator[None]:
    """Within it autocast casts the weights of linear layers once, and not in each pass; the numbers are the same.

    Torch keeps its casts of weights that want a gradient alone. All others it casts anew whenever they are used. Where each row
    of a batch writes one token, that takes longer than the products. The casts are half of these weights' memory.
    """
    layers = [module for module in model.modules() if is_linear(module) and _cast_anew(module)]
    for layer in layers:
        layer.forward = _WithKeptCast(layer)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _cast_anew(layer: nn.Linear) -> bool:
    """Whether no other forward is in its place, such as that of an exact head."""
    return layer.weight.dtype == torch.float32 and not layer.weight.requires_grad and "forward" not in vars(layer)


class _WithKeptCast:
    """A layer's forward pass, which casts the weight at its first use: not all layers are used where states of fixed ones are
    kept."""

    def __init__(self, layer: nn.Linear) -> None:
        self.layer = layer
        self.cast: Tensor | None = None

    def __call__(self, states: Tensor) -> Tensor:
        weight, device = self.layer.weight, states.device.type
        if not torch.is_autocast_enabled(device):  # some models leave it for a few layers, whose numbers would be too coarse
            return multiplied(states, weight, self.layer.bias)
        if self.cast is None:
            self.cast = weight.to(torch.get_autocast_dtype(device))
        return functional.linear(states, self.cast, self.layer.bias)

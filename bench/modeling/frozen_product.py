"""Products with a frozen weight in 8 bit while a model trains on a CPU, from which only what reads them gets a gradient.

There bitsandbytes does not round the inputs of a model that trains: it unpacks the weight and multiplies by that (its
`MatMul8bitFp`). It does so for weights that train, too, and so keeps each input until the backward pass, for a gradient that a
frozen weight does not get. In bf16 it unpacks into fp32, and its backward pass multiplies in fp32, as autocast is over by then.
"""

from typing import Any

import torch
from torch import Tensor

from bench.modeling.fp32_product import multiplied


class FrozenProduct(torch.autograd.Function):
    """In place of bitsandbytes' `MatMul8bitFp`, with its arguments."""

    @staticmethod
    def forward(ctx: Any, A: Tensor, B: Tensor, out: None, bias: Tensor | None, state: Any) -> Tensor:  # noqa: N803
        """A times the weight in 8 bit of `state`, transposed, plus `bias`.

        Args:
            A: (..., columns); B: the same weight as a parameter, (rows, columns).
        """
        ctx.state, ctx.read_as = state, A.dtype
        ctx.product = product_type(A)
        ctx.bias = None if bias is None else bias.dtype
        return multiplied(A, unpacked_weight(state.CB, state.SCB, ctx.product), bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, None, Tensor | None, None]:
        """The gradients of A and of the bias, which a PEFT configuration may let train. As autocast has it elsewhere, the
        product has the type of the one in the forward pass."""
        (above,) = gradients
        read, _, _, biased, _ = ctx.needs_input_grad
        below = multiplied(above, unpacked_weight(ctx.state.CB, ctx.state.SCB, ctx.product).t()) if read else None
        bias = above.flatten(0, -2).sum(0, dtype=ctx.bias) if biased else None
        return below if below is None else below.to(ctx.read_as), None, None, bias, None


def product_type(read: Tensor) -> torch.dtype:
    """In which autocast has a layer multiply what it reads; the input's own type outside of it."""
    device = read.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else read.dtype


def unpacked_weight(weight: Tensor, largest: Tensor, dtype: torch.dtype) -> Tensor:
    """A weight in 8 bit as numbers of `dtype`.

    Args:
        weight: (rows, columns), whole numbers from -127 to 127.
        largest: (rows,) what 127 stands for in each row.
    """
    return weight.to(torch.float32).mul_(largest.mul(1.0 / 127.0).unsqueeze(1)).to(dtype)

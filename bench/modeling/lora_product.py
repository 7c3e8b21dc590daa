"""A frozen layer and the LoRA adapter on it, multiplied in one step on a CPU.

PEFT adds to what the layer gives, W x, the adapter's B (A x) times a scale (Hu et al. 2021, section 4.1). Its second product,
scale and sum each go over a whole answer, and over its gradient, and under autocast x is cast once for W and once for A. In a
small model that takes a tenth of a step. Here the second product adds to what is there, and x is cast once.
"""

from functools import cache
from typing import Any

import torch
from peft.tuners import lora
from torch import Tensor, nn
from torch.nn import functional

from bench.modeling.fp32_product import is_linear, multiplied
from bench.modeling.frozen_product import product_type, unpacked_weight


def multiply_in_one_step(model: nn.Module) -> None:
    """Let the layers of `model` that PEFT's LoRA adapts do so where they can, in training and when they are asked."""
    for module in model.modules():
        kind: Any = type(module)
        # They stay what PEFT has made of them, but for their forward pass.
        if kind.__module__.startswith(lora.__name__) and kind.__name__ in ("Linear", "Linear8bitLt"):
            module.__class__ = _in_one_step(kind)


@cache
def _in_one_step(kind: Any) -> type:
    return type(kind.__name__, (_InOneStep, kind), {})


class _InOneStep(nn.Module):
    """The forward pass of PEFT's layer where it has one plain adapter, and PEFT's own everywhere else."""

    def forward(self: Any, x: Tensor, *args: Any, **named: Any) -> Tensor:
        adapter = None if args or named else _plain_adapter(self, x)
        if adapter is None:
            told: Tensor = super().forward(x, *args, **named)
            return told
        a, b = self.lora_A[adapter].weight, self.lora_B[adapter].weight
        if torch.is_grad_enabled():
            trained: Tensor = LoraProduct.apply(x, self.base_layer, a, b, self.scaling[adapter])
            return trained
        answer: Tensor = self.base_layer(x)
        low = functional.linear(x, a).flatten(0, -2).mul_(self.scaling[adapter])
        # Nobody else holds what the layer has just given.
        _added(answer.view(-1, answer.shape[-1]), low.to(answer.dtype), b.to(answer.dtype).t())
        return answer


def _plain_adapter(layer: Any, x: Tensor) -> str | None:
    """The name of the layer's only adapter, if all that is to be done for it here is two products and a sum."""
    if layer.disable_adapters or layer.merged or len(layer.active_adapters) != 1 or torch.compiler.is_compiling():
        return None
    (name,) = layer.active_adapters
    if name not in layer.lora_A or name in layer.lora_variant or layer.lora_B[name].bias is not None:
        return None
    dropped = layer.training and not isinstance(layer.lora_dropout[name], nn.Identity)
    # ZeRO-3 fetches a weight when its own module is called.
    fetched = any(each._forward_pre_hooks or each._forward_hooks for each in (layer.lora_A[name], layer.lora_B[name]))
    cast = torch.is_autocast_enabled("cpu") or x.dtype == layer.lora_A[name].weight.dtype
    plain = x.device.type == "cpu" and cast and not dropped and not fetched
    return name if plain and (not torch.is_grad_enabled() or _multiplies_by_its_weight(layer.base_layer)) else None


def _multiplies_by_its_weight(base: nn.Module) -> bool:
    """Whether a layer does nothing else in training, and is frozen."""
    if any(parameter.requires_grad for parameter in base.parameters()):
        return False
    return is_linear(base) or (_in_8_bit(base) and base.training)


def _in_8_bit(base: Any) -> bool:
    return hasattr(base, "init_8bit_state") and base.weight.dtype == torch.int8


def _frozen_weight(base: Any, dtype: torch.dtype) -> Tensor:
    """(rows, columns)"""
    if _in_8_bit(base):
        if base.weight.CB is not None:  # before its first answer
            base.init_8bit_state()
        return unpacked_weight(base.state.CB, base.state.SCB, dtype)
    weight: Tensor = base.weight
    return weight.to(dtype)


def _added(numbers: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """A product of two matrices, added to numbers in their place."""
    # By `out`: the counter of operations that budgets are held against does not know `addmm_`.
    return torch.addmm(numbers, first, second, out=numbers)


class LoraProduct(torch.autograd.Function):
    """W x + scale B (A x), whose gradients go to x, A and B."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, base: Any, a: Tensor, b: Tensor, scale: float) -> Tensor:
        """
        Args:
            x: (..., columns).
            base: the layer, with the weight W, (rows, columns).
            a: (rank, columns); b: (rows, rank).
        """
        dtype = product_type(x)
        read = x.flatten(0, -2).to(dtype)
        bias = None if base.bias is None else base.bias.to(dtype)
        low = functional.linear(read, a.to(dtype)).mul_(scale)
        weight = _frozen_weight(base, dtype)
        answer = _added(multiplied(read, weight, bias), low, b.to(dtype).t())
        # A weight in 8 bit is unpacked once more, since its numbers take four times the memory.
        ctx.save_for_backward(read, low, a, b, None if _in_8_bit(base) else weight)
        ctx.base, ctx.scale, ctx.shape = base, scale, x.shape
        return answer.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, Tensor, Tensor, None]:
        """As autocast has it elsewhere, the products have the type of those in the forward pass; torch gives each gradient the
        type of what it is of."""
        read, low, a, b, weight = ctx.saved_tensors
        above = gradients[0].flatten(0, -2)
        below_b = (above @ b.to(read.dtype)).mul_(ctx.scale)
        by_a, by_b = below_b.t() @ read, above.t() @ low
        below = None
        if ctx.needs_input_grad[0]:
            products = multiplied(above, (_frozen_weight(ctx.base, read.dtype) if weight is None else weight).t())
            below = _added(products, below_b, a.to(read.dtype)).view(ctx.shape)
        return below, None, by_a, by_b, None

"""Products of fp32 matrices on a CPU, by whichever of torch's two libraries multiplies them faster.

Torch multiplies fp32 by MKL and bf16 by oneDNN. On AMD's processors MKL does without AVX-512 and oneDNN with it, so that there
oneDNN is more than twice as fast: docs/method/costs.md. Both sum in fp32, and differ in rounding alone.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.utils.flop_counter import register_flop_formula

from bench.devices.hardware import multiplies_fp32_by_onednn


def multiply_fast(model: nn.Module) -> None:
    """Let the model's plain linear layers multiply by the faster library; where that is torch's own choice they stay."""
    if multiplies_fp32_by_onednn():
        _count_operations()
        for module in model.modules():
            if type(module) is nn.Linear and module.weight.dtype == torch.float32:
                module.__class__ = _Linear


def is_linear(module: Any) -> TypeGuard[nn.Linear]:
    """Whether a layer is a plain one: it reads what it is given, multiplies it by its weight, and nothing more."""
    return type(module) in (nn.Linear, _Linear)


def multiplied(read: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What torch's `linear` gives, read (..., columns) times weight (rows, columns) transposed, by the faster library."""
    if not _is_onednns(read, weight):
        return functional.linear(read, weight, bias)
    if torch.is_grad_enabled() and any(each is not None and each.requires_grad for each in (read, weight, bias)):
        answer: Tensor = _Product.apply(read, weight, bias)
        return answer
    return _by_onednn(read, weight, bias)


def _is_onednns(read: Tensor, weight: Tensor) -> bool:
    if not read.dtype == weight.dtype == torch.float32 or not read.device.type == weight.device.type == "cpu":
        return False
    # oneDNN knows no empty product. ZeRO-3 has a product of its own for weights that it shares out.
    apart = not read.numel() or hasattr(weight, "ds_id") or torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling()
    return not apart and multiplies_fp32_by_onednn()


@cache
def _count_operations() -> None:
    """Let torch's counter count what it counts of its own product: two for each weight and row."""

    def operations(read: Sequence[int], weight: Sequence[int], *_: Any, **__: Any) -> int:
        return 2 * math.prod(read) * weight[0]

    register_flop_formula(torch.ops.mkldnn._linear_pointwise)(operations)


def _by_onednn(read: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    # What torch.compile makes of a linear layer; nothing else in torch has oneDNN multiply fp32 by fp32.
    answer: Tensor = torch.ops.mkldnn._linear_pointwise(read, weight, bias, "none", [], "")
    return answer


class _Linear(nn.Linear):
    """In place of torch's."""

    def forward(self, input: Tensor) -> Tensor:
        return multiplied(input, self.weight, self.bias)


class _Product(torch.autograd.Function):
    """oneDNN's product with gradients, which are such products too."""

    @staticmethod
    def forward(ctx: Any, read: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        by_read, by_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(read if by_weight else None, weight if by_read else None)
        return _by_onednn(read, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        read, weight = ctx.saved_tensors
        below = _by_onednn(above, weight.t(), None) if weight is not None else None
        rows = above.flatten(0, -2)
        # It lies as the weight does: else torch copies it before it keeps it. Of a slice oneDNN makes no fast product.
        by_weight = _by_onednn(rows.t(), read.flatten(0, -2).contiguous().t(), None) if read is not None else None
        return below, by_weight, rows.sum(0) if ctx.needs_input_grad[2] else None

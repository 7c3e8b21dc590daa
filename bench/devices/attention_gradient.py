"""The gradient of attention in bf16 on a CPU, computed in fp32, which is faster there and rounds less.

torch's fused kernel makes five small products for each head of each text. In bf16 each of them is prepared anew on a CPU, and
of short texts that takes longer than the products. With dropout torch takes other kernels, and so this changes nothing then.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from bench.devices.replaced_kernels import own_kernel, replace_kernel

GRADIENT = "_scaled_dot_product_flash_attention_for_cpu_backward"
SHORT = 128
"""Tokens up to which fp32 was faster wherever it was measured: 2.5 to 6 times with 32 tokens on two cores with AMX, 1.2 to 3
times with 128; with 192 and more it depends on the number and the size of heads."""


@cache
def compute_in_fp32() -> torch.library.Library | None:
    """Put this in the place of torch's own kernel, once, unless torch is too old to give that away."""
    if (own := own_kernel(GRADIENT)) is None:
        return None

    def kernel(keys: Any, *given: Any, **options: Any) -> tuple[Tensor, ...]:
        query = given[1]  # (texts, heads, tokens, numbers), as the gradient above, the keys, the values and the answer
        if query.dtype != torch.bfloat16 or query.shape[-2] > SHORT:
            return tuple(own.call_boxed(keys, *given, **options))
        if (mask := options.get("attn_mask")) is not None:
            options["attn_mask"] = mask.float()
        wide = (each.float() if isinstance(each, Tensor) else each for each in given)
        return tuple(each.to(query.dtype) for each in own.call_boxed(keys, *wide, **options))

    return replace_kernel(GRADIENT, kernel)

"""bitsandbytes' 8-bit products on a CPU, bit for bit, in fewer passes over memory.

Of a forward pass of SmolLM2 in 8 bit the products themselves take a seventh. Most of the rest is what stands around them: rows
are rounded to 8 bit, and products scaled back (Dettmers et al. 2022, section 3). For that bitsandbytes has kernels on GPUs; on
a CPU it falls back on some twenty operations in half precision, each a pass over all numbers.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from bench.modeling.frozen_product import FrozenProduct
from bench.modeling.shared_rounding import Rounded, once

SCALE = 6.200124e-05
"""1 / 127², as bitsandbytes rounds it."""
SCALED_AT_ONCE = 2**17
"""Numbers that are scaled at once: half a megabyte in fp32, which a core's cache holds."""


@cache
def hasten() -> None:
    """Give bitsandbytes these kernels on CPUs, once, unless it has its own there by now; and our product for training."""
    from bitsandbytes.autograd import _functions  # slow to import; it defines the operators

    _functions.MatMul8bitFp = FrozenProduct  # type: ignore[misc, assignment]
    kernels: dict[str, Callable[..., Any]] = {"int8_vectorwise_quant": _shared_rows, "int8_mm_dequant": scaled_back}
    for name, kernel in kernels.items():
        operator = f"bitsandbytes::{name}"
        if not torch._C._dispatch_has_kernel_for_dispatch_key(operator, "CPU"):
            torch.library.register_kernel(operator, "cpu", kernel)


def _shared_rows(A: Tensor, threshold: float = 0.0) -> Rounded:  # noqa: N803 (bitsandbytes' name)
    return once(threshold, lambda: rows_in_8_bit(A, threshold))


def rows_in_8_bit(A: Tensor, threshold: float = 0.0) -> Rounded:  # noqa: N803 (bitsandbytes' name)
    """A's rows in 8 bit.

    Args:
        A: (rows, columns), in half precision.
        threshold: a number from this size on is an outlier; with 0 none is.

    Returns:
        (rows, columns) whole numbers from -127 to 127, 0 in columns with an outlier; (rows,) the largest size in each row
        without its outliers; and the columns with one, None without a threshold.
    """
    # Exact, and a CPU computes in half precision by way of fp32. A copy, since it is changed in place.
    numbers = A.to(torch.float32, copy=True)
    sizes, columns = numbers.abs(), None
    if threshold > 0:
        columns = (sizes.amax(0) >= threshold).nonzero().view(-1)
        # The other numbers of such a column still count for the scale of their rows.
        sizes[:, columns] = (beside := sizes[:, columns]).masked_fill(beside >= threshold, 0)
    largest = sizes.amax(1)
    numbers.mul_((127.0 / largest).unsqueeze(1)).round_()
    if columns is not None:
        numbers[:, columns] = 0
    return numbers.to(torch.int8), largest, columns


def scaled_back(
    A: Tensor,  # noqa: N803 (bitsandbytes' name)
    row_stats: Tensor,
    col_stats: Tensor,
    dtype: torch.dtype | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """A product of two matrices in 8 bit, as numbers of `dtype`.

    Args:
        A: (..., columns), int32.
        row_stats: of the first matrix, as `rows_in_8_bit` gives it; col_stats: of the second.
    """
    products, rows = A.reshape(-1, A.shape[-1]), max(1, SCALED_AT_ONCE // A.shape[-1])
    out = torch.empty(products.shape, dtype=dtype or torch.float16)
    parts = zip(products.split(rows), row_stats.reshape(-1).split(rows), out.split(rows), strict=True)
    for product, sizes, place in parts:
        scaled = (sizes.unsqueeze(1) * col_stats.reshape(-1)).mul_(product).mul_(SCALE)
        place.copy_(scaled if bias is None else scaled.add_(bias))
    return out

"""Weights that are kept in 16 bit and read in fp32: exact arithmetic without a second, larger copy of the model."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

PRODUCTS: frozenset[Callable[..., Any]] = frozenset(
    {nn.functional.linear, nn.functional.embedding, nn.functional.layer_norm, torch.addmm, torch.matmul, Tensor.matmul}
)
"""What a transformer's modules do with their weights where types must agree; sums and plain products take the wider type. Under
ZeRO-3 `linear` is DeepSpeed's own, once a model was shared out, and multiplies by `matmul`."""


class InFp32(TorchFunctionMode):
    """Within it each weight is widened where it is used, and only as long: what follows from it is fp32."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        if func in PRODUCTS:
            args = tuple(map(_widened_value, args))
            named = {name: _widened_value(value) for name, value in named.items()}
        return func(*args, **named)


def _widened_value(value: Any) -> Any:
    half = isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16)
    return value.float() if half else value

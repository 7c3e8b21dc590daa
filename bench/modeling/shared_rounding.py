"""What several layers in 8 bit read is rounded once for all of them, as long as the module around them is at work.

In a block q, k and v read the same numbers, and so do gate and up. bitsandbytes rounds them anew in each of these layers.
"""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Rounded = tuple[Tensor, Tensor, Tensor | None]
"""Of an input, as `eight_bit.rows_in_8_bit` gives it."""


@dataclass(frozen=True)
class _Kept:
    """What an input was rounded to. It does not keep the input alive: another one may come to lie at its address."""

    source: weakref.ref[Tensor]
    version: int
    """By which torch counts in-place changes."""
    threshold: float
    rounded: Rounded

    def is_of(self, source: Tensor, threshold: float) -> bool:
        return self.source() is source and (self.version, self.threshold) == (source._version, threshold)


class _Now(threading.local):
    """What a thread is at."""

    reads: Tensor | None = None
    """The input of the layer at work, until it has been rounded."""
    kept: _Kept | None = None


_now = _Now()


def share_rounding(model: nn.Module) -> None:
    """Let the layers in 8 bit that stand in one module of `model` share what they round, on a CPU, whose kernel asks `once`."""
    from bitsandbytes.nn.modules import Linear8bitLt  # slow to import, and few models have such layers

    for module in model.modules():
        within = [layer for layer in module.children() if isinstance(layer, Linear8bitLt) and layer.weight.device.type == "cpu"]
        for layer in within:
            layer.register_forward_pre_hook(_begin)
            layer.register_forward_hook(_end, always_call=True)
        if len(within) > 1:
            module.register_forward_hook(_forget, always_call=True)


def once(threshold: float, rounding: Callable[[], Rounded]) -> Rounded:
    """What `rounding` gives of what the layer at work reads: the same tensors as in the layer before it, where that has read
    the same numbers. Nobody may change them in place."""
    source, _now.reads = _now.reads, None
    if source is None:
        return rounding()
    kept = _now.kept
    if kept is None or not kept.is_of(source, threshold):
        kept = _now.kept = _Kept(weakref.ref(source), source._version, threshold, rounding())
    return kept.rounded


def _begin(layer: Any, given: tuple[Any, ...]) -> None:
    # In training inputs are not rounded. A layer that still has to round its weights would ask for that with the same call. In
    # inference mode torch does not count changes.
    if given and not layer.training and layer.weight.dtype == torch.int8 and not given[0].is_inference():
        _now.reads = given[0]


def _end(*_: object) -> None:
    _now.reads = None


def _forget(*_: object) -> None:
    _now.kept = None

"""The blocks of a model, compiled by torch.compile for its training steps."""

from types import TracebackType

import torch
from torch import nn

from bench.modeling.structure import layers, lowest_trained

VARIANTS = 64
"""Of one class of blocks that a process may compile: for other strategies, with and without padding, of one text and of many.
Where torch's own limit of 8 is reached, it goes on uncompiled without a word."""


class CompiledBlocks:
    """Within it, as often as it is entered, the blocks of a model that gradients reach run as the compiler has made them.

    Block by block, since all are alike: one compilation serves them all, and takes seconds where that of a whole model takes
    minutes. Lengths are variables in it, so that another length is no other compilation. Outside of it the model is as it was:
    to ask it would be other variants to compile, for a few passes.
    """

    def __init__(self, model: nn.Module) -> None:
        # Those below may be replaced by what is kept of them, and cost little.
        blocks = list(layers(model))
        self._blocks = blocks[lowest_trained(model, blocks) :]
        torch._dynamo.config.recompile_limit = VARIANTS
        for block in self._blocks:
            # Dropout by torch's own random numbers, in their order: the compiler's would be others.
            block.compile(dynamic=True, options={"fallback_random": True})
        self._calls = [block._compiled_call_impl for block in self._blocks]
        self.__exit__()

    def __enter__(self) -> None:
        for block, call in zip(self._blocks, self._calls, strict=True):
            block._compiled_call_impl = call

    def __exit__(
        self, kind: type[BaseException] | None = None, error: BaseException | None = None, trace: TracebackType | None = None
    ) -> None:
        for block in self._blocks:
            block._compiled_call_impl = None

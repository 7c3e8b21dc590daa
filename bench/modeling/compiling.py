"""The blocks of a model, compiled by torch.compile for its training steps."""

from functools import partial

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
        torch._dynamo.config.recompile_limit = VARIANTS
        # Dropout by torch's own random numbers, in their order: the compiler's would be others.
        compiled = partial(torch.compile, dynamic=True, options={"fallback_random": True})
        # What nn.Module.compile does, but not for good.
        self._calls = {block: compiled(block._call_impl) for block in blocks[lowest_trained(model, blocks) :]}

    def __enter__(self) -> None:
        for block, call in self._calls.items():
            block._compiled_call_impl = call

    def __exit__(self, *_: object) -> None:
        for block in self._calls:
            block._compiled_call_impl = None

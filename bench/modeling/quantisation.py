"""bitsandbytes: which layers of a model it holds in 8 or 4 bit, what is held beside them, and how it is kept from changing what
they compute."""

import torch
from torch import nn
from transformers import BitsAndBytesConfig

from bench.modeling.biases import keep_biases
from bench.modeling.shared_rounding import share_rounding
from bench.modeling.structure import layers, linear

PACKS = "support_avx512bf16_for_cpu"
"""Of bitsandbytes' layers in 4 bit: whether they may pack their weights."""


def quantisation(shape: nn.Module, bits: int) -> BitsAndBytesConfig:
    """Of the linear layers inside the stack; heads, poolers and projections around it stay fp32.

    Args:
        shape: the model, with or without weights.
    """
    inside = {id(module) for module in linear(layers(shape))}
    # A list of one's own replaces transformers', which would have kept lm_head out (huggingface/transformers#45674).
    around = [name for name, m in shape.named_modules() if isinstance(m, torch.nn.Linear) and id(m) not in inside]
    # The list's name says int8, but transformers keeps these out of 4 bit too.
    if bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=around)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", llm_int8_skip_modules=around)


def settle(model: nn.Module) -> None:
    """All that is done to a model in 8 or 4 bit once it is loaded."""
    leave_unpacked(model)
    leave_file(model)
    keep_biases(model)
    share_rounding(model)


def leave_unpacked(model: nn.Module) -> None:
    """On a CPU with AVX512-BF16 bitsandbytes packs 4-bit weights anew for the first answer. Products with them are then rounded
    to bf16, and no gradient passes through them: a model that was asked before its training would train other weights."""
    for module in model.modules():
        if hasattr(module, PACKS):
            setattr(module, PACKS, False)


IN_FEW_BITS = (torch.int8, torch.uint8)
"""Types of a weight in 8 and in 4 bit."""


@torch.no_grad()
def leave_file(model: nn.Module) -> None:
    """Copy what is not quantised out of the file that it is mapped from.

    As long as one weight lies there, the pages that the others were quantised from count as held: SmolLM2 in 8 bit held .65 GB
    on a CPU, and holds .22 without them.
    """
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.device.type == "cpu" and tensor.dtype not in IN_FEW_BITS:
            tensor.data = tensor.data.clone()

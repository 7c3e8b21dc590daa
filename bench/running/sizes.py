"""How many parameters a model has, and what its training would hold in memory, from its shape alone.

Weights, gradients and optimiser state are counted; activations are an estimate by formula.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.pytorch_utils import Conv1D

from bench.modeling.models import Model
from bench.modeling.structure import layers, linear, lowest_trained
from bench.modeling.weights import numel, outline
from bench.specs.base import Family
from bench.specs.task import TaskSpec
from bench.strategies import Strategy
from bench.tasks import types

BLOCK = 64
"""Weights that share one scale in 4 bit: bitsandbytes' block size; the scales are not quantised again."""


@dataclass(frozen=True)
class Memory:
    """Parameters, and bytes on one device at the peak of a training step."""

    trainable: int
    parameters: int
    weights: int
    """Bytes as loaded: quantised layers with their scales, everything else in fp32, or all in a base's reference precision."""
    gradients: int
    optimizer: int
    activations: int
    gathered: int = 0
    """What FSDP2 puts together on each device, however many there are."""
    copies: int = 0
    """In bf16, the copies of matrices that are kept for the backward pass; they are shared out among no devices."""

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimizer + self.activations

    def shared(self, devices: int, bf16: bool) -> int:
        """On each of several devices that share the model out by FSDP2: its part of weights, gradients and moments, which are
        fp32 in bf16 too, and what each has for itself. Each computes micro-batches of its own, so that activations are whole.

        It is an upper bound: what is gathered is most in the second block of a backward pass, and by then the copies of the
        blocks above it are gone.
        """
        parts = math.ceil((self.weights + self.gradients + self.optimizer) / devices)
        return parts + self.gathered + self.activations + (self.copies if bf16 else 0)


def parameters(model: nn.Module) -> tuple[int, int]:
    """(trainable, total) parameters; a weight that is packed into 4 bit, or shared out, counts at its full size."""
    counted = [(parameter.requires_grad, numel(parameter)) for parameter in model.parameters()]
    return sum(count for trains, count in counted if trains), sum(count for _, count in counted)


def held_bytes(model: nn.Module) -> int:
    """Bytes of a loaded model's weights and buffers, each tensor once: quantised ones as they are packed, with their scales."""
    tensors = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    scales = {id(scale): scale for holder in (*tensors.values(), *model.modules()) for scale in _scales(holder)}
    return sum(outline(tensor).nbytes for tensor in (tensors | scales).values())


def _scales(holder: object) -> list[Tensor]:
    """What bitsandbytes keeps in a packed weight or its layer: a scale per output in 8 bit, one per block in 4. The former it
    moves from the weight to the layer's state in the first forward pass."""
    state, packed = getattr(holder, "state", None), getattr(holder, "quant_state", None)
    kept = (getattr(holder, "SCB", None), getattr(state, "SCB", None), getattr(packed, "absmax", None))
    return [scale for scale in kept if scale is not None]


def task_shape(model: Model, task: TaskSpec) -> PreTrainedModel:
    """A model without weights, with the head that a task trains; a decoder has its own."""
    if model.family == "decoder":
        return model.shape(AutoModelForCausalLM)
    kind = types.task_type(task)
    return model.shape(kind.auto_class, num_labels=kind.outputs())


def adapted_shape(shape: nn.Module, strategy: Strategy, family: Family) -> nn.Module:
    """What a strategy makes of a base on the meta device, in place."""
    with torch.device("meta"):
        return strategy.adapt(shape, family)


def memory(
    shape: PreTrainedModel, strategy: Strategy, family: Family, tokens: int, asked_bits: int = 32
) -> tuple[nn.Module, Memory]:
    """The adapted model and its plan, from the base on the meta device, which the strategy adapts in place.

    Gradients and AdamW's two moments are fp32. `tokens` is a padded batch on one device; `asked_bits` are those of a weight of
    a model that is only asked.
    """
    quantised = linear(layers(shape)) if strategy.bits < 32 else []
    blocks = [(block, sum(sum(_weight(module).shape) for module in linear([block]))) for block in layers(shape)]
    model = adapted_shape(shape, strategy, family) if strategy.trains else shape
    trainable, total = parameters(model)
    loaded = weights(model, quantised, strategy.bits)
    stack = [block for block, _ in blocks]
    if not strategy.trains:
        return model, Memory(0, total, loaded * asked_bits // 32, 0, 0, 0, _whole_bytes(model, stack, False))
    activated = activations(model, shape.config, blocks, family, tokens)
    apart = _whole_bytes(model, stack, True), _bf16_copies(model, stack)
    return model, Memory(trainable, total, loaded, 4 * trainable, 8 * trainable, activated, *apart)


def _whole_bytes(model: nn.Module, stack: Sequence[nn.Module], trains: bool) -> int:
    """Bytes of fp32 that FSDP2 puts together on each device, with a unit for each block, and an outermost one for all else.

    The outermost unit's weights are whole while a pass goes through the blocks, and so are its gradients until they are sent.
    Of the blocks, the weights of the one that computes are whole, and a buffer holds those of the next one, which is fetched
    meanwhile. Gradients are whole of the block that computes, and of the one before it, whose sum is still on its way
    (`_backward_prefetch` and `reduce_scatter_states` in torch's _fsdp_param_group.py).
    """

    def whole(parameters: Iterable[nn.Parameter]) -> int:
        return sum(4 * each.numel() * (1 + (trains and each.requires_grad)) for each in parameters)

    inside = {id(parameter) for block in stack for parameter in block.parameters()}
    outermost = whole(parameter for parameter in model.parameters() if id(parameter) not in inside)
    return outermost + 2 * max(whole(block.parameters()) for block in stack)


def _bf16_copies(model: nn.Module, stack: Sequence[nn.Module]) -> int:
    """Bytes of the bf16 copies that autocast makes of the matrices which gradients pass: the backward pass multiplies by them
    again. With gradient checkpointing, those of the largest block, and those outside the blocks."""
    inside = {id(module) for block in stack for module in block.modules()}
    outside = _cast(module for module in linear([model]) if id(module) not in inside)
    each = [_cast(linear([block])) for block in stack[lowest_trained(model, stack) :]]
    return outside + (max(each, default=0) if _checkpoints(model) else sum(each))


def _cast(modules: Iterable[nn.Module]) -> int:
    return sum(2 * _weight(module).numel() for module in modules)


def weights(model: nn.Module, quantised: Sequence[nn.Module], bits: int) -> int:
    """Bytes of a model in fp32 whose modules `quantised` hold their weight matrices in 8 or 4 bit.

    8 bit: a byte per weight and an fp32 scale per output. 4 bit: half a byte, and an fp32 scale per 64 weights.
    """
    tensors = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    # By identity: a tied head is the embedding's tensor, and in memory once.
    for module in quantised:
        del tensors[id(_weight(module))]
    plain = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    return plain + sum(_packed_bytes(module, bits) for module in quantised)


def _packed_bytes(module: nn.Module, bits: int) -> int:
    # GPT-2's Conv1D keeps (in, out), and every other linear layer (out, in).
    numbers, outputs = _weight(module).numel(), _weight(module).shape[1 if isinstance(module, Conv1D) else 0]
    return numbers + 4 * outputs if bits == 8 else math.ceil(numbers / 2) + 4 * math.ceil(numbers / BLOCK)


def _weight(module: nn.Module) -> Tensor:
    return module.get_parameter("weight")


def activations(model: nn.Module, config: Any, blocks: Sequence[tuple[nn.Module, int]], family: Family, tokens: int) -> int:
    """Bytes kept for the backward pass, by formula, at 4 bytes a number; bf16 saves little of it, as norms stay fp32.

    Per token and block that gradients pass, what flows in and out of the linear layers (Korthikanti et al. 2022, without
    dropout masks and the attention matrix, which fused attention doesn't keep). With gradient checkpointing, each block's
    input, and one block while it is computed again. A decoder's logits count three times (log-probabilities and two
    gradients) at every position, as a text's loss needs them; an answer's loss needs fewer.

    Args:
        blocks: the stack, bottom first, with the numbers per token that flow in and out of a block's linear layers.
    """
    flows = [flow for _, flow in blocks][lowest_trained(model, [block for block, _ in blocks]) :]
    numbers = len(blocks) * config.hidden_size + max(flow for _, flow in blocks) if _checkpoints(model) else sum(flows)
    return 4 * tokens * (numbers + (3 * config.vocab_size if family == "decoder" else 0))


def _checkpoints(model: nn.Module) -> bool:
    return any(getattr(module, "gradient_checkpointing", False) for module in model.modules())

"""Floating-point operations of training, by formula: 2 per weight and token forward, 2 for each gradient of input or weight.

Kaplan et al. 2020, appendix B, refined for strategies: a layer below the lowest trained weight has no backward pass, and a
frozen layer above it passes gradients on without one for its own weights. Attention's products of queries with keys and of
weights with values count too, over all pairs of places, as an implementation without causal blocks computes them. Embeddings,
norms and activation functions are left out, as torch's own counter leaves them out; so is the small network that P-tuning and
prefix tuning can make their tokens with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from bench.errors import UserError
from bench.modeling.forward import unwrapped
from bench.modeling.structure import has_trained_weights, in_order_of_data, layers, lowest_trained
from bench.modeling.weights import numel, shape
from bench.tokens.token_counts import TokenCounts

HEAD_NAMES = ("lm_head", "embed_out", "classifier", "score", "qa_outputs")
POOLER_NAMES = ("pooler", "pre_classifier")
"""What an encoder computes once for a text, before its head."""
SECOND_NAMES = ("k_proj", "v_proj", "key", "value", "k_lin", "v_lin", "up_proj")
"""Layers that read what a layer before them reads, such as keys beside queries: what trains there is not below them."""
NORM_NAMES = ("input_layernorm", "self_attn_layer_norm")
"""What a block does first, though Llama's kind and OPT list it after what follows."""
PREFIX = "PREFIX_TUNING"
"""The kind of PEFT that gives keys and values of its own; other virtual tokens go through the model like a text's."""


@dataclass(frozen=True)
class Flops:
    """Operations of a training step, forward and backward, by what goes through the model."""

    each: TokenCounts
    """Per token, per pair, per position of the head, and per row."""
    again: TokenCounts = field(default_factory=TokenCounts)
    """What gradient checkpointing computes besides: each block's forward pass a second time, to its end, though torch may stop
    before a last layer whose output nothing needs."""
    virtual: int = 0
    """Trained tokens that stand before each text."""
    prefixed: int = 0
    """Trained keys and values that stand before those of each text, and go through no layer."""
    below: TokenCounts = field(default_factory=TokenCounts)
    """Of `each`, what the blocks below the lowest trained weight take."""

    def useful(self, work: TokenCounts) -> int:
        """Without what is computed a second time to save memory."""
        return _product(self.each, self._fed(work))

    def computed(self, work: TokenCounts) -> int:
        return _product(self.each + self.again, self._fed(work))

    def spared(self, work: TokenCounts) -> int:
        """Of what is computed, what need not be where so much does not go through the blocks that never change."""
        return _product(self.below, work)

    def _fed(self, work: TokenCounts) -> TokenCounts:
        """With the virtual tokens: (length + virtual)^2 is length^2 + 2 virtual length + virtual^2. A prefix is looked at, and
        looks at nothing."""
        pairs = (2 * self.virtual + self.prefixed) * work.tokens + self.virtual**2 * work.rows
        return work + TokenCounts(tokens=self.virtual * work.rows, pairs=pairs)


def _product(each: TokenCounts, work: TokenCounts) -> int:
    return sum(mine * its for mine, its in zip(each.counts, work.counts, strict=True))


def count_flops(model: nn.Module) -> Flops:
    """The formula for an adapted model; weights are (out, in) matrices, quantised ones at their unpacked size.

    Raises:
        UserError: its blocks hold weights of which it is not known how often a token goes through them.
    """
    _check_matrices(model)
    checkpoints = any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
    # Whoever checkpoints may have made the embeddings' output require a gradient, which then flows where none is needed.
    hooked = hasattr(unwrapped(model), "_require_grads_hook")
    blocks = list(layers(model))
    recomputed = blocks if hooked else blocks[lowest_trained(model, blocks) :]
    inside = {id(module) for block in recomputed for module in block.modules()}
    each, again = _attention(model, checkpoints, hooked)
    virtual, prefixed = _virtual_tokens(model)
    first = {id(module) for module in blocks[0].modules()} if prefixed else set()
    # Whether gradients flow through to what a module reads, as a trained weight lies below. PEFT lists its virtual tokens after
    # the model that reads them.
    reached = beside = virtual > 0
    for name, module in in_order_of_data(model):
        parts, trains = name.split("."), has_trained_weights(module, recurse=False)
        reached |= any(has_trained_weights(child, recurse=False) for own, child in module.named_children() if own in NORM_NAMES)
        size = 0 if parts[0] == "prompt_encoder" else _linear_size(module)
        if size:
            if not any(part in SECOND_NAMES or part.startswith("lora_") for part in parts):
                beside = reached
            passes = reached if "lora_B" in parts else beside
            each += _work_at_place(parts, (2 + (2 if passes else 0) + (2 if trains else 0)) * size)
            if checkpoints and id(module) in inside:
                again += TokenCounts(tokens=(4 if hooked and not passes else 2) * size)
        # A prefix's keys and values stand beside those of the first block: all that is behind its projections is reached.
        reached |= trains or (size > 0 and id(module) in first)
    return Flops(each, again, virtual, prefixed, _work_below(model, blocks[: lowest_trained(model, blocks)]))


def _check_matrices(model: nn.Module) -> None:
    for name, parameter in layers(model).named_parameters():
        if len(shape(parameter)) > 2:
            raise UserError(
                f"'{name}' of the model's layers has {len(shape(parameter))} dimensions, as weights of experts or convolutions "
                f"have, whose operations are not counted; take another model, or strategies that train nothing"
            )


def _work_below(model: nn.Module, blocks: Sequence[nn.Module]) -> TokenCounts:
    # Forward alone: below the lowest trained weight there is no backward pass.
    sizes = sum(_linear_size(module) for block in blocks for module in block.modules())
    return TokenCounts(tokens=2 * sizes, pairs=4 * _attention_width(model) * len(blocks))


def _linear_size(module: Any) -> int:
    """Weights of a linear layer; 0 for what is none, and for PEFT's wrapper, which shows the weight of the layer inside it."""
    if isinstance(module, nn.Embedding) or hasattr(module, "base_layer"):
        return 0
    weight = getattr(module, "weight", None)
    if weight is None:
        return 0
    if hasattr(module, "in_features"):
        return int(module.in_features) * int(module.out_features)
    return numel(weight) if len(shape(weight)) == 2 else 0  # GPT-2's Conv1D has no in_features


def _work_at_place(parts: list[str], count: int) -> TokenCounts:
    if any(part in POOLER_NAMES for part in parts):
        return TokenCounts(rows=count)
    if any(part in HEAD_NAMES for part in parts):
        return TokenCounts(positions=count)
    return TokenCounts(tokens=count)


def _attention(model: nn.Module, checkpoints: bool, hooked: bool) -> tuple[TokenCounts, TokenCounts]:
    """Two products forward, of 2 operations per pair and number of a head, and four backward where gradients pass."""
    blocks, width = list(layers(model)), _attention_width(model)
    below = lowest_trained(model, blocks)
    each = TokenCounts(pairs=4 * width * len(blocks) + 8 * width * (len(blocks) - below))
    computed_again = 4 * len(blocks) + 8 * below if hooked else 4 * (len(blocks) - below)
    return each, TokenCounts(pairs=width * computed_again if checkpoints else 0)


def _attention_width(model: nn.Module) -> int:
    """Numbers of all heads of a block together."""
    config: Any = unwrapped(model).config
    heads = int(config.num_attention_heads)
    return heads * int(getattr(config, "head_dim", None) or config.hidden_size // heads)


def _virtual_tokens(model: nn.Module) -> tuple[int, int]:
    """Tokens that stand before each text, and keys and values that do."""
    config = getattr(model, "active_peft_config", None)
    count = int(getattr(config, "num_virtual_tokens", None) or 0)
    return (0, count) if count and getattr(config, "peft_type", None) == PREFIX else (count, 0)

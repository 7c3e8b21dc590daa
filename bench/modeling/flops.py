"""Floating-point operations of training, by formula: 2 per weight and token forward, 2 for each gradient of input or weight.

Kaplan et al. 2020, appendix B, refined for strategies: a layer below the lowest trained weight has no backward pass, and a
frozen layer above it passes gradients on without one for its own weights. Attention's quadratic part and embeddings are
left out; the output head counts at the positions where logits are computed alone.
"""

from dataclasses import dataclass

from torch import nn

HEAD_NAMES = ("lm_head", "embed_out", "classifier", "score")


@dataclass(frozen=True)
class Flops:
    """Per token of the trunk and per position of the output head."""

    per_token: int
    per_position: int

    def training(self, tokens: int, positions: int) -> int:
        return self.per_token * tokens + self.per_position * positions


def count_flops(model: nn.Module) -> Flops:
    """The formula for an adapted model; weights are (out, in) matrices, quantised ones at their unpacked size."""
    body = head = 0
    reached = False  # whether a trained weight lies below: then gradients must flow through to it
    # transformers' models define their modules in the order of the data's way, from the embedding to the head.
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        own = list(module.parameters(recurse=False))
        trained = any(parameter.requires_grad for parameter in own)
        if isinstance(module, nn.Embedding):
            reached |= trained
            continue
        # PEFT's wrapper shows the weight of the layer inside it, which the list has too.
        matrix = hasattr(module, "in_features") or getattr(weight, "ndim", 0) == 2  # GPT-2's Conv1D has no in_features
        if weight is None or not matrix or hasattr(module, "base_layer"):
            reached |= trained
            continue
        size = int(module.in_features) * int(module.out_features) if hasattr(module, "in_features") else weight.numel()
        # A base layer that carries adapters comes before them in the list, and they train beside it.
        factor = 2 + (2 if reached else 0) + (2 if trained else 0)
        reached |= trained
        if any(part in HEAD_NAMES for part in name.split(".")):
            head += factor * size
        else:
            body += factor * size
    return Flops(body, head)
